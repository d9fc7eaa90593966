"""The language model has its whole weight on language, and less where the network surely reads none."""

import numpy as np
import pytest

from text_recognizer.core.charset import BLANK_ID, CHARSET, encode
from text_recognizer.inference.language_fit import FULL_FIT, NO_FIT, LineFit, language_shares, line_fit
from text_recognizer.inference.language_model import count_ngrams

SENTENCES = ["the cat sat on the mat and the dog sat on the cat", "on the mat the cat and the dog sat"] * 3
SENTENCE = "the dog and the cat sat on the mat"
NO_LANGUAGE = "xqz vbk wjx qpv zkx jwq bvz kqx"


@pytest.fixture(scope="module")
def ngram():
    return count_ngrams(SENTENCES, 4, min_count=1)


def scores_of(text, probability=0.98):
    """Log-probabilities (w, C): a column for each character and for a blank after it, both with that probability."""
    path = [index for character in encode(text) for index in (character, BLANK_ID)] or [BLANK_ID]
    matrix = np.full((len(path), len(CHARSET)), (1 - probability) / (len(CHARSET) - 1))
    matrix[np.arange(len(path)), path] = probability
    return np.log(matrix)


def test_a_sentence_has_the_whole_weight_and_signs_without_language_the_least(ngram):
    shares = language_shares(ngram, [scores_of(SENTENCE), scores_of(NO_LANGUAGE)], min_share=0.0)
    assert shares == [1.0, 0.0]
    assert language_shares(ngram, [scores_of(NO_LANGUAGE)], min_share=0.4) == [0.4]
    assert language_shares(ngram, [scores_of(NO_LANGUAGE)], min_share=1.0) == [1.0]


def test_a_reading_that_the_network_doubts_keeps_the_weight(ngram):
    sure, doubted = (language_shares(ngram, [scores_of(NO_LANGUAGE, p)], 0.0)[0] for p in (0.98, 0.1))
    assert (sure, doubted) == (0.0, 1.0)


def test_a_short_line_keeps_the_weight(ngram):
    assert language_shares(ngram, [scores_of("xq"), scores_of("")], 0.0) == [1.0, 1.0]


def test_the_fit_is_a_likelihood_ratio_for_each_character(ngram):
    found = line_fit(ngram, scores_of("the"))
    assert found.characters == 3
    assert found.network == pytest.approx(6 * np.log(0.98))  # three characters and three blanks
    assert found.language < 0


def test_between_the_two_limits_the_share_rises_evenly():
    middle = (FULL_FIT + NO_FIT) / 2
    many = 10**9  # so that the prior does not count
    assert LineFit(many, middle * many, 0.0).share(0.0) == pytest.approx(0.5)
    assert LineFit(many, middle * many, 0.0).share(0.5) == pytest.approx(0.75)
    assert LineFit(many, middle * many, many * 0.3).fit == pytest.approx(middle - 0.3)
