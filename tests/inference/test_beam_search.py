"""Beam-search decoding against all texts of a small alphabet, and the alignment of a text with its columns."""

import itertools
import math

import numpy as np
import pytest

from text_recognizer.core.charset import BLANK_ID, CHARSET, INDEX, collapse, decode, encode
from text_recognizer.inference.beam_search import BeamSearchDecoder, align
from text_recognizer.inference.language_model import count_ngrams

A, B = INDEX["a"], INDEX["b"]
COLUMNS = 5


def line_scores(seed, columns=COLUMNS):
    """Log-probabilities (w, C) that are spread over the blank, a and b."""
    probabilities = np.full((columns, len(CHARSET)), 1e-12)
    probabilities[:, [BLANK_ID, A, B]] = np.random.default_rng(seed).dirichlet([0.6] * 3, columns)
    return np.log(probabilities / probabilities.sum(axis=1, keepdims=True))


def ambiguous_column():
    """Log-probabilities (1, C) of a column that is an a or a b with equal probability."""
    scores = np.full((1, len(CHARSET)), math.log(1e-12))
    scores[0, [A, B]] = math.log(0.5)
    return scores


def small_ngram():
    return count_ngrams(["abab ab abab", "ab aab"], 3, min_count=1)


def all_paths(columns=COLUMNS):
    return itertools.product([BLANK_ID, A, B], repeat=columns)


def text_probabilities(scores):
    """The probability of every text, summed over all of its paths."""
    out = {}
    for path in all_paths(len(scores)):
        text = tuple(collapse(path))
        out[text] = out.get(text, 0.0) + math.exp(sum(scores[t, k] for t, k in enumerate(path)))
    return out


def best_text_by_exhaustion(scores, decoder, context):
    def score(text):
        language = sum(decoder.ngram.after((*context, *text[:n])).log_probability(text[n]) for n in range(len(text)))
        return math.log(known[text]) + decoder.lm_weight * language + decoder.insertion_bonus * len(text)

    known = text_probabilities(scores)
    return max(known, key=score)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(("lm_weight", "insertion_bonus"), [(0.0, 0.0), (0.5, 0.3), (2.0, 1.0)])
def test_a_wide_enough_beam_finds_the_text_with_the_highest_score(seed, lm_weight, insertion_bonus):
    scores, context = line_scores(seed), (INDEX[" "],)
    decoder = BeamSearchDecoder(small_ngram(), lm_weight, insertion_bonus, beam_width=100)
    assert decoder.decode(scores, context) == best_text_by_exhaustion(scores, decoder, context)


def test_the_language_model_decides_if_the_network_does_not():
    decoder = BeamSearchDecoder(small_ngram(), 1.0, 0.0, beam_width=8)
    assert decode(decoder.decode(ambiguous_column(), tuple(encode("ab")))) == "a"
    assert decode(decoder.decode(ambiguous_column(), tuple(encode("a")))) == "b"


def test_special_tokens_are_never_decoded():
    scores = np.full((3, len(CHARSET)), math.log(1e-12))
    scores[:, INDEX["<E>"]] = 0.0
    assert BeamSearchDecoder(small_ngram(), 0.3, 0.3, beam_width=4).decode(scores, ()) == ()


def test_fusion_raises_the_confidence_of_characters_that_the_language_model_expects_and_lowers_that_of_others():
    # Given an ambiguous column after a b, where the language model expects an a
    scores, decoder = ambiguous_column(), BeamSearchDecoder(small_ngram(), 1.0, 0.0, beam_width=8)
    # When the model is fused along the path of either character
    probabilities = [np.exp(decoder.fuse(scores, np.array([chosen]), (INDEX[" "], B))[0]) for chosen in (A, B)]
    of_a, of_b = (share[chosen] / share.sum() for share, chosen in zip(probabilities, (A, B), strict=True))
    # Then the confidences are those of the language model, and sum to one
    assert of_a > 0.5 > of_b
    assert of_a + of_b == pytest.approx(1)


def test_fusion_leaves_a_blank_column_unchanged():
    decoder = BeamSearchDecoder(small_ngram(), 1.0, 0.0, beam_width=8)
    assert decoder.fuse(line_scores(0), np.full(COLUMNS, BLANK_ID), ()).tolist() == line_scores(0).tolist()


@pytest.mark.parametrize("seed", range(12))
def test_the_alignment_is_the_most_likely_path_of_the_text(seed):
    scores = line_scores(seed)
    texts = sorted(text_probabilities(scores))[::7]
    assert texts
    for text in texts:
        of_text = [path for path in all_paths() if tuple(collapse(path)) == text]
        likeliest = max(of_text, key=lambda path: sum(scores[t, k] for t, k in enumerate(path)))
        assert align(scores, text).tolist() == list(likeliest)


def test_the_empty_text_is_aligned_with_blanks():
    assert align(line_scores(0), ()).tolist() == [BLANK_ID] * COLUMNS
