"""The text of a page is matched with its strips by what a poor reader made of them. What does not agree is left out."""

import pytest

from text_recognizer.preprocess.line_alignment import LeftOut, Reason, match_lines, match_stretches

LINES = ("the quick brown fox", "jumps over the dog", "and runs away")
TEXT = "Dorothy lived in the midst of the great Kansas prairies, with Uncle Henry, who was a farmer."


def pairs(alignment):
    return [(match.strip, match.text) for match in alignment.matches]


def test_lines_are_matched_in_any_order_with_their_error_rates():
    found = match_lines(LINES, ["and runs awuy", "the quick brown fox", "jumps ouer the dug"])

    assert pairs(found) == [(0, LINES[2]), (1, LINES[0]), (2, LINES[1])]
    assert [match.cer for match in found.matches] == pytest.approx([1 / 13, 0, 2 / 18])
    assert found.left_out == ()


def test_what_agrees_with_nothing_is_left_out_with_a_reason():
    found = match_lines(LINES[:2], ["", "the quick brown fox", "18 May 1843"])

    assert pairs(found) == [(1, LINES[0])]
    assert set(found.left_out) == {
        LeftOut(LINES[1], Reason.NO_STRIP),
        LeftOut("", Reason.NOTHING_READ),
        LeftOut("18 May 1843", Reason.NO_LINE),
    }


def test_the_better_of_two_strips_gets_the_line():
    found = match_lines(["one two three"], ["one too thrae", "one two thre"])

    assert pairs(found) == [(1, "one two three")]
    assert found.left_out == (LeftOut("one too thrae", Reason.NO_LINE),)


def test_equal_lines_are_matched_with_one_strip_each():
    assert pairs(match_lines(["yes", "yes"], ["yes", "yes"])) == [(0, "yes"), (1, "yes")]


@pytest.mark.parametrize(("max_cer", "count"), [(0.1, 0), (0.3, 1)])
def test_the_limit_decides_how_much_may_be_misread(max_cer, count):
    assert len(match_lines(["ten chars."], ["tan chors."], max_cer).matches) == count


def test_no_strips_leave_all_lines_out():
    assert [one.reason for one in match_lines(LINES, []).left_out] == [Reason.NO_STRIP] * 3


def test_a_strip_gets_whole_words_of_a_text_without_line_breaks():
    found = match_stretches(TEXT, ["Dorothy lived in the nidst of", "grect Kansas prairies, with", "who was a farmer."])

    assert pairs(found) == [
        (0, "Dorothy lived in the midst of"),
        (1, "great Kansas prairies, with"),
        (2, "who was a farmer."),
    ]


def test_a_misread_end_of_a_strip_neither_cuts_nor_adds_a_word():
    assert pairs(match_stretches(TEXT, ["in the midst of the gneat"])) == [(0, "in the midst of the great")]
    assert pairs(match_stretches(TEXT, ["in the midst of the ,"])) == [(0, "in the midst of the")]


def test_line_breaks_in_the_text_do_not_matter():
    assert pairs(match_stretches(TEXT.replace(" ", "\n"), ["Uncle Henry, who"])) == [(0, "Uncle Henry, who")]


def test_strips_that_are_not_in_the_text_are_left_out_with_a_reason():
    found = match_stretches(TEXT, ["", "Henry", "a sentence of another text"])

    assert found.matches == ()
    assert [one.reason for one in found.left_out] == [Reason.NOTHING_READ, Reason.SHORT_READING, Reason.NO_STRETCH]


def test_an_empty_text_matches_nothing():
    assert match_stretches(" ", ["Uncle Henry, who"]).matches == ()
