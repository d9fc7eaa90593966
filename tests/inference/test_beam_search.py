"""Beam-search decoding against all texts of a small alphabet, and the alignment of a text with its columns."""

import itertools
import math

import numpy as np
import pytest

from text_recognizer.core.charset import BLANK_ID, CHARSET, INDEX, collapse, decode
from text_recognizer.inference.alignment import align
from text_recognizer.inference.beam_search import BATCH_LINES, BeamSearchDecoder, FusedLine, contexts_of
from text_recognizer.inference.language_model import count_ngrams

A, B, SPACE = INDEX["a"], INDEX["b"], INDEX[" "]
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
        language = decoder.ngram.next_characters.log_probabilities_along(context, text).sum()
        return math.log(known[text]) + decoder.lm_weight * language + decoder.insertion_bonus * len(text)

    known = text_probabilities(scores)
    return max(known, key=score)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(("lm_weight", "insertion_bonus"), [(0.0, 0.0), (0.5, 0.3), (2.0, 1.0)])
def test_a_wide_enough_beam_finds_the_text_with_the_highest_score(seed, lm_weight, insertion_bonus):
    decoder = BeamSearchDecoder(small_ngram(), lm_weight, insertion_bonus, beam_width=100)
    lines = [FusedLine(line_scores(seed), context) for context in ((SPACE,), (A, SPACE, A))]
    expected = [best_text_by_exhaustion(line.scores, decoder, line.context) for line in lines]
    assert decoder.decode(lines) == expected


def test_the_context_of_a_line_is_what_the_network_reads_on_the_lines_above():
    def line(*path):
        scores = np.full((len(path), len(CHARSET)), math.log(1e-12))
        scores[np.arange(len(path)), path] = 0.0
        return scores

    read = [line(A, A, BLANK_ID, A), line(BLANK_ID), line(B), line(A)]
    assert contexts_of(read) == [(SPACE,), (SPACE, A, A, SPACE), (SPACE, A, A, SPACE), (SPACE, A, A, SPACE, B, SPACE)]
    assert contexts_of([line(*[A, B] * 20)] * 2)[1] == (B, A, B, A, B, A, B, SPACE)
    assert contexts_of([]) == []


def test_lines_of_any_lengths_are_decoded_together_as_alone():
    # Given more lines than are decoded at once, in no order, some without a column
    decoder = BeamSearchDecoder(small_ngram(), 0.5, 0.3, beam_width=3)
    lengths = np.random.default_rng(0).permutation(np.arange(BATCH_LINES + 9))
    lines = [FusedLine(line_scores(length, length)) for length in lengths.tolist()]
    alone = [decoder.decode([line])[0] for line in lines]
    # Then what else is decoded changes no text
    assert decoder.decode(lines) == alone
    assert len(set(alone)) > BATCH_LINES / 2
    assert decoder.decode([]) == []


def test_a_narrow_beam_keeps_the_best_prefixes():
    # Given two columns, in which "a", "ab" and "b" are likely, in this order
    scores = np.full((2, len(CHARSET)), math.log(1e-12))
    scores[0, [A, B]] = np.log([0.6, 0.4])
    scores[1, [BLANK_ID, B]] = np.log([0.55, 0.45])
    # Then a beam of one prefix loses "b", whose paths add up to the most
    texts = [BeamSearchDecoder(small_ngram(), 0.0, 0.0, width).decode([FusedLine(scores)])[0] for width in (1, 2)]
    assert [decode(text) for text in texts] == ["a", "b"]


def test_the_language_model_decides_if_the_network_does_not():
    # Given an a or a b, as the first character and after an a
    after_a = np.full((3, len(CHARSET)), math.log(1e-12))
    after_a[[0, 1], [A, BLANK_ID]] = 0.0
    after_a[2] = ambiguous_column()[0]
    # Then it is what the language model expects there
    decoder = BeamSearchDecoder(small_ngram(), 1.0, 0.0, beam_width=8)
    assert decoder.decode([FusedLine(ambiguous_column())]) == [(A,)]
    assert decoder.decode([FusedLine(after_a)]) == [(A, B)]


def test_a_line_may_have_a_share_of_the_language_model():
    # Given a b that the network prefers to an a, and a language model that expects an a
    scores = np.full((1, len(CHARSET)), math.log(1e-12))
    scores[0, [A, B]] = np.log([0.4, 0.6])
    decoder = BeamSearchDecoder(small_ngram(), 1.0, 0.0, beam_width=8)
    # Then the share of each line decides
    lines = [FusedLine(scores, share=share) for share in (1.0, 0.0, 1.0)]
    assert decoder.decode(lines) == [(A,), (B,), (A,)]
    assert decoder.fuse(lines[1], np.array([A])).tolist() == scores.tolist()


def test_special_tokens_are_never_decoded():
    scores = np.full((3, len(CHARSET)), math.log(1e-12))
    scores[:, INDEX["<E>"]] = 0.0
    assert BeamSearchDecoder(small_ngram(), 0.3, 0.3, beam_width=4).decode([FusedLine(scores)]) == [()]


def test_fusion_raises_the_confidence_of_characters_that_the_language_model_expects_and_lowers_that_of_others():
    # Given an ambiguous column, where the language model expects an a
    scores, decoder = ambiguous_column(), BeamSearchDecoder(small_ngram(), 1.0, 0.0, beam_width=8)
    # When the model is fused along the path of either character
    probabilities = [np.exp(decoder.fuse(FusedLine(scores), np.array([chosen]))[0]) for chosen in (A, B)]
    of_a, of_b = (share[chosen] / share.sum() for share, chosen in zip(probabilities, (A, B), strict=True))
    # Then the confidences are those of the language model, and sum to one
    assert of_a > 0.5 > of_b
    assert of_a + of_b == pytest.approx(1)


def test_fusion_leaves_a_blank_column_unchanged():
    decoder = BeamSearchDecoder(small_ngram(), 1.0, 0.0, beam_width=8)
    assert decoder.fuse(FusedLine(line_scores(0)), np.full(COLUMNS, BLANK_ID)).tolist() == line_scores(0).tolist()


@pytest.mark.parametrize("seed", range(12))
def test_the_alignment_is_the_most_likely_path_of_the_text(seed):
    scores = line_scores(seed)
    texts = sorted(text_probabilities(scores))[::7]
    assert texts
    paths = align([scores] * len(texts), texts)
    for text, path in zip(texts, paths, strict=True):
        of_text = [path for path in all_paths() if tuple(collapse(path)) == text]
        likeliest = max(of_text, key=lambda path: sum(scores[t, k] for t, k in enumerate(path)))
        assert path.tolist() == list(likeliest)


def test_the_empty_text_is_aligned_with_blanks():
    assert align([line_scores(0)], [()])[0].tolist() == [BLANK_ID] * COLUMNS


def test_lines_of_any_lengths_are_aligned_together_as_alone():
    lines = [line_scores(columns, columns) for columns in (3, 9, 1, 6)]
    texts = [(A,), (A, B, A, A), (), (B, A)]
    together = align(lines, texts)
    assert [path.tolist() for path in together] == [
        align([line], [text])[0].tolist() for line, text in zip(lines, texts, strict=True)
    ]
    assert [tuple(collapse(path.tolist())) for path in together] == texts
    assert align([], []) == []
