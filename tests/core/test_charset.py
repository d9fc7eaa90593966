"""The charset, the normalisation of text, and its encoding."""

import pytest

from text_recognizer.core import charset
from text_recognizer.core.errors import DataError

LAB = [
    *["<B>", "<S>", "<E>", "<P>"],
    *"0123456789",
    *"ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    *"abcdefghijklmnopqrstuvwxyz",
    *[" ", "!", '"', "#", "&", "'", "(", ")", "*", "+", ",", "-", ".", "/", ":", ";", "?"],
    "\n",
]


def test_the_charset_is_that_of_the_lab_in_the_same_order():
    assert list(charset.CHARSET) == LAB
    assert len(charset.CHARSET) == len(set(charset.CHARSET)) == 84


def test_special_tokens_come_first_and_the_newline_last():
    ids = (charset.BLANK_ID, charset.START_ID, charset.END_ID, charset.PADDING_ID, charset.NEWLINE_ID)
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
        ("ﬁrst o\ufb03ce, ‹so›, it\u02bcs", "first office, 'so', it's"),
        ("co\u00adope\u200brate\ufeff", "cooperate"),
        ("a\u2009b\u202fc", "a b c"),
        ("", ""),
    ],
)
def test_normalise(raw, normal):
    assert charset.normalise(raw) == normal
    assert charset.normalise(normal) == normal, "normalising twice must change nothing more"


def test_one_line_joins_lines_with_single_spaces():
    assert charset.join_lines(" to be \n or\n\nnot ") == "to be or not"


def test_decoding_reverses_encoding():
    assert charset.decode(charset.encode(charset.CHARACTERS)) == charset.CHARACTERS
    assert charset.encode("") == []


def test_special_tokens_are_left_out_of_the_text():
    assert charset.decode([1, *charset.encode("a b"), 0, 3, 2]) == "a b"


@pytest.mark.parametrize(
    ("text", "label", "unaccented", "unknown"),
    [
        ("plain text, 1", "plain text, 1", "", ""),
        ("Müller, Łódź, naïve", "Muller, Lodz, naive", "üŁóźï", ""),
        ("Straße, Æsop, œuvre", "Strasse, AEsop, oeuvre", "ßÆœ", ""),
        ("£5 or 5 €, 20°, €", "£5 or 5 €, 20°, €", "", "£€°€"),
        ("Москва й", "Москва й", "", "Москвай"),  # й is a letter with a breve, but its base is not in the charset
        ("é £", "e £", "é", "£"),
        ("a ≠ b", "a ≠ b", "", "≠"),
    ],
)
def test_a_label_has_no_accents_and_says_what_was_changed_and_what_is_unknown(text, label, unaccented, unknown):
    found = charset.to_label(text)
    assert (found.text, found.unaccented, found.unknown) == (label, unaccented, unknown)
    assert found.unknown or charset.encode(found.text)


def test_normalising_keeps_accents_and_signs_so_that_scored_texts_are_not_changed():
    assert charset.normalise("Müller £5 20° ×") == "Müller £5 20° ×"


def test_unknown_characters_are_listed_once_and_sorted():
    assert charset.unknown_characters("naïve €5 é€") == ["é", "ï", "€"]
    assert charset.unknown_characters(charset.CHARACTERS) == []


def test_encode_names_the_unknown_character():
    with pytest.raises(DataError) as caught:
        charset.encode("price: 5 €")
    assert "'€'" in caught.value.what
    assert caught.value.fix


@pytest.mark.parametrize(
    ("path", "ids"),
    [([], []), ([0, 0], []), ([5, 5, 5], [5]), ([5, 0, 5], [5, 5]), ([0, 5, 5, 6, 0, 0, 6, 5], [5, 6, 6, 5])],
)
def test_collapse_merges_repeats_and_then_drops_blanks(path, ids):
    assert charset.collapse(path) == ids


@pytest.mark.parametrize(("line", "steps"), [("", 0), ("a", 1), ("ab", 2), ("aa", 3), ("aaa", 5), ("book", 5)])
def test_ctc_needs_one_more_step_between_equal_neighbours(line, steps):
    assert charset.min_ctc_steps(line) == steps


def test_padded_tokens_start_and_end_and_are_padded():
    inner = charset.encode("ab")
    assert charset.encode_padded("ab", 6) == [charset.START_ID, *inner, charset.END_ID, *[charset.PADDING_ID] * 2]
    assert charset.encode_padded("ab", 3, ends=False) == [*inner, charset.PADDING_ID]


@pytest.mark.parametrize(("length", "ends"), [(3, True), (1, False)])
def test_a_text_that_is_longer_than_its_tokens_may_be_is_refused(length, ends):
    with pytest.raises(DataError):
        charset.encode_padded("ab", length, ends)
