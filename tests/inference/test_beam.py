"""Spelling a line: against every text there is on a small alphabet, and the alignment of what was spelt."""

import itertools
import math

import numpy as np
import pytest

from text_recognizer.inference.beam import Speller, align
from text_recognizer.inference.language import count
from text_recognizer.text import BLANK_ID, INDEX, MAPPING, collapse, decode, encode

A, B = INDEX["a"], INDEX["b"]
COLUMNS = 5


def lines(seed, columns=COLUMNS):
    """Log-probabilities (w, C) with all the weight on the blank, a and b."""
    shares = np.full((columns, len(MAPPING)), 1e-12)
    shares[:, [BLANK_ID, A, B]] = np.random.default_rng(seed).dirichlet([0.6] * 3, columns)
    return np.log(shares / shares.sum(axis=1, keepdims=True))


def ngram():
    return count(["abab ab abab", "ab aab"], 3, least=1)


def paths(columns=COLUMNS):
    return itertools.product([BLANK_ID, A, B], repeat=columns)


def likelihoods(scores):
    """The probability of every text, summed over all its paths."""
    out = {}
    for path in paths(len(scores)):
        text = tuple(collapse(path))
        out[text] = out.get(text, 0.0) + math.exp(sum(scores[t, k] for t, k in enumerate(path)))
    return out


def best_by_exhaustion(scores, model, weight, bonus, context):
    def credit(text):
        spelt = sum(model.after((*context, *text[:n])).log(text[n]) for n in range(len(text)))
        return math.log(known[text]) + weight * spelt + bonus * len(text)

    known = likelihoods(scores)
    return max(known, key=credit)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize(("weight", "bonus"), [(0.0, 0.0), (0.5, 0.3), (2.0, 1.0)])
def test_a_beam_that_is_wide_enough_finds_the_best_of_all_texts(seed, weight, bonus):
    scores, model, context = lines(seed), ngram(), (INDEX[" "],)
    found = Speller(model, weight, bonus, width=100).spell(scores, context)
    assert found == best_by_exhaustion(scores, model, weight, bonus, context)


def test_the_language_decides_where_the_ink_does_not():
    # Given a column that may be an a or a b with equal right
    scores = np.full((1, len(MAPPING)), math.log(1e-12))
    scores[0, [A, B]] = math.log(0.5)
    speller = Speller(ngram(), 1.0, 0.0, width=8)
    # Then an a follows a b, and a b an a
    assert decode(speller.spell(scores, tuple(encode("ab")))) == "a"
    assert decode(speller.spell(scores, tuple(encode("a")))) == "b"


def test_special_tokens_are_never_spelt():
    scores = np.full((3, len(MAPPING)), math.log(1e-12))
    scores[:, INDEX["<E>"]] = 0.0
    assert Speller(ngram(), 0.3, 0.3, width=4).spell(scores, ()) == ()


def test_what_the_n_gram_decided_is_surer_than_the_ink_alone_and_what_it_opposed_less_sure():
    # Given a column that may be an a or a b with equal right, after a b, where the n-gram expects an a
    scores = np.full((1, len(MAPPING)), math.log(1e-12))
    scores[0, [A, B]] = math.log(0.5)
    speller = Speller(ngram(), 1.0, 0.0, width=8)
    # When either is taken for what is there
    shares = [np.exp(speller.weighed(scores, np.array([taken]), (INDEX[" "], B))[0]) for taken in (A, B)]
    sure = [share[taken] / share.sum() for share, taken in zip(shares, (A, B), strict=True)]
    # Then the two shares are those of the n-gram, which are of one whole
    assert sure[0] > 0.5 > sure[1]
    assert sum(sure) == pytest.approx(1)


def test_a_blank_column_is_left_as_it_is():
    speller = Speller(ngram(), 1.0, 0.0, width=8)
    assert speller.weighed(lines(0), np.full(COLUMNS, BLANK_ID), ()).tolist() == lines(0).tolist()


@pytest.mark.parametrize("seed", range(12))
def test_the_alignment_is_the_likeliest_path_of_the_text(seed):
    scores = lines(seed)
    for text in sorted(likelihoods(scores))[::7]:
        spelling = [path for path in paths() if tuple(collapse(path)) == text]
        likeliest = max(spelling, key=lambda path: sum(scores[t, k] for t, k in enumerate(path)))
        assert align(scores, text).tolist() == list(likeliest)


def test_nothing_is_aligned_with_blanks():
    assert align(lines(0), ()).tolist() == [BLANK_ID] * COLUMNS
