"""The charset and the rules of text."""

import pytest

from text_recognizer import text
from text_recognizer.errors import DataError

LAB = [
    *["<B>", "<S>", "<E>", "<P>"],
    *"0123456789",
    *"ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    *"abcdefghijklmnopqrstuvwxyz",
    *[" ", "!", '"', "#", "&", "'", "(", ")", "*", "+", ",", "-", ".", "/", ":", ";", "?"],
    "\n",
]


def test_the_mapping_is_the_lab_s_in_its_order():
    assert list(text.MAPPING) == LAB
    assert len(text.MAPPING) == len(set(text.MAPPING)) == 84


def test_special_tokens_come_first_and_the_newline_last():
    ids = (text.BLANK_ID, text.START_ID, text.END_ID, text.PADDING_ID, text.NEWLINE_ID)
    assert ids == (0, 1, 2, 3, 83)


@pytest.mark.parametrize(
    ("raw", "normal"),
    [
        ("‘I’ “see” «it»", '\'I\' "see" "it"'),
        ("1–2 — 3−4", "1-2 - 3-4"),
        ("so…", "so..."),
        ("  a \t b\u00a0c  ", "a b c"),
        ("one \r\n  two", "one\ntwo"),
        ("a\n\nb", "a\n\nb"),
        ("cafe\u0301", "café"),
        ("price: 5 €", "price: 5 €"),
        ("", ""),
    ],
)
def test_normalise(raw, normal):
    assert text.normalise(raw) == normal
    assert text.normalise(normal) == normal, "to normalise twice is to normalise once"


def test_one_line_joins_lines_with_single_spaces():
    assert text.one_line(" to be \n or\n\nnot ") == "to be or not"


def test_every_text_of_the_charset_comes_back_from_its_ids():
    assert text.decode(text.encode(text.CHARACTERS)) == text.CHARACTERS
    assert text.encode("") == []


def test_special_tokens_are_left_out_of_the_text():
    assert text.decode([1, *text.encode("a b"), 0, 3, 2]) == "a b"


def test_unknown_characters_are_listed_once_and_sorted():
    assert text.unknown("naïve €5 é€") == ["é", "ï", "€"]
    assert text.unknown(text.CHARACTERS) == []


def test_encode_refuses_and_names_the_character():
    with pytest.raises(DataError, match="'€' in 'price: 5 €'") as caught:
        text.encode("price: 5 €")
    assert caught.value.fix


@pytest.mark.parametrize(
    ("path", "ids"),
    [([], []), ([0, 0], []), ([5, 5, 5], [5]), ([5, 0, 5], [5, 5]), ([0, 5, 5, 6, 0, 0, 6, 5], [5, 6, 6, 5])],
)
def test_collapse_merges_repeats_and_then_drops_blanks(path, ids):
    assert text.collapse(path) == ids


@pytest.mark.parametrize(("line", "columns"), [("", 0), ("a", 1), ("ab", 2), ("aa", 3), ("aaa", 5), ("book", 5)])
def test_ctc_needs_a_column_more_between_equal_neighbours(line, columns):
    assert text.ctc_columns(line) == columns
