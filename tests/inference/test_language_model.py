"""The n-gram model: probabilities that sum to one, back-off to shorter contexts, pruning, and its file."""

import numpy as np
import pytest

from text_recognizer.core.charset import CHARSET, INDEX, encode
from text_recognizer.core.errors import DataError, ModelError
from text_recognizer.inference.language_model import DEFAULT_DISCOUNT, NGram, count_ngrams

TEXTS = ["the cat sat on the mat", "the dog sat on the cat"]


def probabilities_after(ngram, text):
    """The probabilities (C,) of the character after a text."""
    return np.exp(ngram.next_characters.distributions_along(encode(text), encode("e"))[0])


@pytest.mark.parametrize("context", ["", "t", "th", "the ", "xyz"])
def test_the_probabilities_after_a_context_sum_to_one(context):
    assert probabilities_after(count_ngrams(TEXTS, 4, min_count=1), context).sum() == pytest.approx(1)


def test_the_character_that_always_follows_a_context_is_the_most_likely():
    assert probabilities_after(count_ngrams(TEXTS, 3, min_count=1), "th").argmax() == INDEX["e"]


def test_the_formula_of_chen_and_goodman_computed_by_hand():
    # Given the text "aab" after a space: an a follows a space and an a, a b follows an a
    ngram = count_ngrams(["aab"], 2, min_count=1)
    single = (2 + 0.1) / (3 + 0.1 * len(CHARSET))
    assert probabilities_after(ngram, "")[INDEX["a"]] == pytest.approx(single)
    # Then after an a, each of two characters has its count less a discount, and both discounts go to the shorter one
    expected = (1 - DEFAULT_DISCOUNT) / 2 + 2 * DEFAULT_DISCOUNT / 2 * single
    assert probabilities_after(ngram, "a")[INDEX["a"]] == pytest.approx(expected)


def test_the_discounts_follow_from_the_number_of_rare_ngrams():
    # Given 4 n-grams seen once, 3 twice, 2 three times and 1 four times: by hand, a share of 4 / (4 + 2 * 3)
    text = "a" + "b" + "c" + "d" + "ee" + "ff" + "gg" + "hhh" + "iii" + "jjjj"
    share = 4 / 10
    expected = [1 - 2 * share * 3 / 4, 2 - 3 * share * 2 / 3, 3 - 4 * share * 1 / 2]
    assert count_ngrams([text], 1).discounts[0].tolist() == pytest.approx(expected)


def test_a_character_that_follows_only_one_other_is_unlikely_in_new_contexts():
    # Given a q as frequent as a b, but always after an x
    ngram = count_ngrams(["xq xq xq", "ab cb db"], 2, min_count=1)
    shares = probabilities_after(ngram, "k")
    assert shares[INDEX["b"]] > 2 * shares[INDEX["q"]]


def test_pruned_ngrams_count_in_the_total_of_their_context():
    # Given abcd twice, and abce, which is too rare to be kept
    ngram = count_ngrams(["abcd abcd abce"], 4)
    assert len(ngram.grams[3]) == len({"abcd", "abc and the pruned", " abc", "cd a", "bcd ", "d ab"})
    kept = (2 - DEFAULT_DISCOUNT) / 3
    expected = kept + (1 - kept) * probabilities_after(ngram, "bc")[INDEX["d"]]
    assert probabilities_after(ngram, "abc")[INDEX["d"]] == pytest.approx(expected)


def test_no_character_is_impossible():
    assert min(probabilities_after(count_ngrams(TEXTS * 9, 5), "the ca")) > 0


def test_an_unseen_context_falls_back_to_the_shorter_one():
    ngram = count_ngrams(TEXTS, 3, min_count=1)
    assert probabilities_after(ngram, "zh").tolist() == probabilities_after(ngram, "h").tolist()


def test_a_context_longer_than_the_order_is_cut():
    ngram = count_ngrams(TEXTS, 3, min_count=1)
    assert ngram.order == 3
    assert probabilities_after(ngram, "on the").tolist() == probabilities_after(ngram, "he").tolist()


def test_the_space_before_a_text_is_a_context_and_not_counted_as_a_character():
    ngram = count_ngrams(["ab"], 2, min_count=1)
    assert probabilities_after(ngram, " ").argmax() == INDEX["a"]
    assert probabilities_after(ngram, "")[INDEX[" "]] == probabilities_after(ngram, "")[INDEX["z"]]


def test_long_ngrams_that_were_seen_once_are_pruned():
    once, twice = count_ngrams(["abcdef"], 6), count_ngrams(["abcdef", "abcdef"], 6)
    assert [len(gram) for gram in once.grams] == [6, 6, 5, 0, 0, 0]
    # Of those seen twice only the longest are kept: every shorter one has only one character that precedes it
    assert [len(gram) for gram in twice.grams] == [6, 6, 5, 0, 0, 2]


def test_a_newline_counts_as_a_space():
    assert probabilities_after(count_ngrams(["a\nb"], 2, min_count=1), "a").argmax() == INDEX[" "]


def test_all_digits_share_the_probability_of_one_class():
    ngram = count_ngrams(["in 1961 and in 1962", "the cat"], 4, min_count=1)
    expected = probabilities_after(ngram, "19")[INDEX["6"]]
    assert expected > probabilities_after(ngram, "19")[INDEX["a"]]
    for context in ("19", "75", "00"):
        shares = probabilities_after(ngram, context)
        assert [shares[INDEX[digit]] for digit in "0123456789"] == pytest.approx([expected] * 10)
        assert shares.sum() == pytest.approx(1)


def test_the_characters_of_a_text_have_the_probabilities_of_their_contexts():
    ngram, before, text = count_ngrams(TEXTS, 4, min_count=1), "the ", "cat 9"
    along = ngram.next_characters.log_probabilities_along(encode(before), encode(text))
    expected = [probabilities_after(ngram, before + text[:n])[INDEX[text[n]]] for n in range(len(text))]
    assert np.exp(along).tolist() == pytest.approx(expected)
    assert ngram.next_characters.log_probabilities_along(encode(before), []).tolist() == []


def test_without_any_text_all_characters_are_equally_likely():
    shares = probabilities_after(count_ngrams([], 3), "ab")
    assert shares.tolist() == pytest.approx([1 / len(shares)] * len(shares))


def test_a_character_outside_the_charset_is_refused_by_name():
    with pytest.raises(DataError) as caught:
        count_ngrams(["ñ"], 2)
    assert "ñ" in caught.value.what


def test_a_model_is_loaded_from_its_file_and_equal_counts_give_equal_bytes(tmp_path):
    for name in ("one", "two"):
        count_ngrams(TEXTS, 4, min_count=1).save(tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    loaded, counted = NGram.load(tmp_path / "one"), count_ngrams(TEXTS, 4, min_count=1)
    assert probabilities_after(loaded, "the c").tolist() == probabilities_after(counted, "the c").tolist()


@pytest.mark.parametrize("content", [None, b"", b"no archive", b"PK\x03\x04 cut"])
def test_a_file_that_is_missing_or_damaged_is_refused_by_name(tmp_path, content):
    path = tmp_path / "language.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError) as caught:
        NGram.load(path)
    assert str(path) in caught.value.what
