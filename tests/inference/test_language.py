"""The n-gram: shares that sum to one, the longer context first, and a file that comes back."""

import numpy as np
import pytest

from text_recognizer.errors import DataError, ModelError
from text_recognizer.inference import language
from text_recognizer.inference.language import USUAL, NGram, count
from text_recognizer.text import INDEX, MAPPING, encode

TEXTS = ["the cat sat on the mat", "the dog sat on the cat"]


def after(ngram, text):
    followers = ngram.after(tuple(encode(text)))
    return np.exp([followers.log(index) for index in range(len(MAPPING))])


@pytest.mark.parametrize("context", ["", "t", "th", "the ", "xyz"])
def test_what_may_follow_sums_to_one(context):
    assert after(count(TEXTS, 4, least=1), context).sum() == pytest.approx(1)


def test_a_context_knows_its_followers():
    assert after(count(TEXTS, 3, least=1), "th").argmax() == INDEX["e"]


def test_chen_and_goodman_s_formula_by_hand():
    # Given the text "aab" after a space: an a came after a space and after an a, a b after an a
    ngram = count(["aab"], 2, least=1)
    single = (2 + 0.1) / (3 + 0.1 * len(MAPPING))
    assert after(ngram, "")[INDEX["a"]] == pytest.approx(single)
    # Then after an a, each of two followers has its count less a discount, and both discounts go to the shorter context
    assert after(ngram, "a")[INDEX["a"]] == pytest.approx((1 - USUAL) / 2 + 2 * USUAL / 2 * single)


def test_the_discounts_follow_from_how_many_runs_are_rare():
    # Given 4 runs seen once, 3 twice, 2 three times and 1 four times: by hand, a share of 4 / (4 + 2 * 3)
    text = "a" + "b" + "c" + "d" + "ee" + "ff" + "gg" + "hhh" + "iii" + "jjjj"
    share = 4 / 10
    expected = [1 - 2 * share * 3 / 4, 2 - 3 * share * 2 / 3, 3 - 4 * share * 1 / 2]
    assert count([text], 1).discounts[0].tolist() == pytest.approx(expected)


def test_a_character_that_only_ever_follows_one_other_is_rare_elsewhere():
    # Given a q as frequent as a b, but always after an x
    ngram = count(["xq xq xq", "ab cb db"], 2, least=1)
    shares = after(ngram, "k")
    assert shares[INDEX["b"]] > 2 * shares[INDEX["q"]]


def test_what_was_left_out_after_a_context_counts_against_its_followers():
    # Given abcd twice, and abce, which is too rare to be kept
    ngram = count(["abcd abcd abce"], 4)
    assert len(ngram.grams[3]) == len({"abcd", "abc and the rest", " abc", "cd a", "bcd ", "d ab"})
    expected = (2 - USUAL) / 3 + (1 - (2 - USUAL) / 3) * after(ngram, "bc")[INDEX["d"]]
    assert after(ngram, "abc")[INDEX["d"]] == pytest.approx(expected)


def test_nothing_is_impossible():
    assert min(after(count(TEXTS * 9, 5), "the ca")) > 0


def test_an_unseen_context_is_answered_by_the_shorter_one():
    ngram = count(TEXTS, 3, least=1)
    assert after(ngram, "zh").tolist() == after(ngram, "h").tolist()


def test_no_more_than_the_order_is_looked_at():
    ngram = count(TEXTS, 3, least=1)
    assert ngram.order == 3
    assert after(ngram, "on the").tolist() == after(ngram, "he").tolist()


def test_a_text_begins_after_a_space_that_is_no_character_of_it():
    ngram = count(["ab"], 2, least=1)
    assert after(ngram, " ").argmax() == INDEX["a"]
    assert after(ngram, "")[INDEX[" "]] == after(ngram, "")[INDEX["z"]]


def test_long_runs_that_were_seen_once_are_forgotten():
    once, twice = count(["abcdef"], 6), count(["abcdef", "abcdef"], 6)
    assert [len(gram) for gram in once.grams] == [6, 6, 5, 0, 0, 0]
    # Then of those that were seen twice the longest are kept; the shorter ones had the same character before them
    assert [len(gram) for gram in twice.grams] == [6, 6, 5, 0, 0, 2]


def test_a_line_break_counts_as_a_space():
    assert after(count(["a\nb"], 2, least=1), "a").argmax() == INDEX[" "]


def test_the_digits_share_what_is_known_of_any_of_them():
    ngram = count(["in 1961 and in 1962", "the cat"], 4, least=1)
    expected = after(ngram, "19")[INDEX["6"]]
    assert expected > after(ngram, "19")[INDEX["a"]]
    for context in ("19", "75", "00"):
        shares = after(ngram, context)
        assert [shares[INDEX[digit]] for digit in "0123456789"] == pytest.approx([expected] * 10)
        assert shares.sum() == pytest.approx(1)


def test_no_more_contexts_are_remembered_than_there_is_room_for(monkeypatch):
    ngram, contexts = count(TEXTS, 4, least=1), [TEXTS[0][:length] for length in range(len(TEXTS[0]))]
    expected = [after(ngram, context).tolist() for context in contexts]
    monkeypatch.setattr(language, "REMEMBERED", 5)
    ngram = count(TEXTS, 4, least=1)
    assert [after(ngram, context).tolist() for context in contexts] == expected
    assert len(ngram._known) <= 5


def test_no_text_at_all_makes_every_character_as_likely():
    shares = after(count([], 3), "ab")
    assert shares.tolist() == pytest.approx([1 / len(shares)] * len(shares))


def test_a_character_outside_the_charset_is_refused():
    with pytest.raises(DataError, match="charset"):
        count(["ñ"], 2)


def test_it_comes_back_from_its_file_and_equal_counts_give_equal_bytes(tmp_path):
    for name in ("one", "two"):
        count(TEXTS, 4, least=1).save(tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    back = NGram.load(tmp_path / "one")
    assert after(back, "the c").tolist() == after(count(TEXTS, 4, least=1), "the c").tolist()


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut"])
def test_a_file_that_holds_none_is_named(tmp_path, content):
    (tmp_path / "language.npz").write_bytes(content)
    with pytest.raises(ModelError, match=r"language\.npz holds no n-gram"):
        NGram.load(tmp_path / "language.npz")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"language\.npz does not exist"):
        NGram.load(tmp_path / "language.npz")
