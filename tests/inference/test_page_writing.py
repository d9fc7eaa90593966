"""Which lines of a page are writing: decided from all lines of the page."""

from dataclasses import replace

import numpy as np

from text_recognizer.inference.line_kind import NONE, PRINTED, WRITTEN
from text_recognizer.inference.page_writing import (
    ALIKE,
    CLEAR_EVIDENCE,
    LIKELY_CHARACTERS,
    LIKELY_EVIDENCE,
    MIN_PAIRS,
    LineKinds,
    WrittenText,
    shows_writing,
    with_repetition,
)

UNSURE, LIKELY, PRINT, NOTHING = (0.5, 0.4, 0.1), (0.7, 0.25, 0.05), (0.01, 0.98, 0.01), (0.05, 0.05, 0.9)


def _kinds(rows, widths, least=None):
    strips = [np.zeros((96, width), np.uint8) for width in widths]
    return LineKinds.of(np.array(rows), np.array(least or rows), strips, 0.2).kinds.tolist()


def test_an_unsure_line_is_writing_on_its_own_and_print_among_print():
    assert _kinds([UNSURE], [300]) == [WRITTEN]
    assert _kinds([UNSURE] + [PRINT] * 9, [300] * 10) == [PRINTED] * 10


def test_a_short_line_that_is_hardly_likelier_printed_is_writing_on_its_own_and_print_among_print():
    hardly = (0.42, 0.56, 0.02)
    assert _kinds([hardly], [140]) == [WRITTEN]
    assert _kinds([hardly], [900]) == [PRINTED]
    assert _kinds([hardly, PRINT], [140, 300]) == [PRINTED] * 2


def test_a_sure_line_is_writing_among_print():
    assert _kinds([(0.95, 0.04, 0.01)] + [PRINT] * 9, [300] * 10)[0] == WRITTEN


def test_the_length_of_a_line_counts():
    assert _kinds([LIKELY, PRINT], [900, 100]) == [WRITTEN, PRINTED]
    assert _kinds([LIKELY, PRINT], [100, 900]) == [PRINTED, PRINTED]


def test_what_is_neither_is_the_likelier_of_print_and_nothing():
    assert _kinds([NOTHING, PRINT], [200, 200]) == [NONE, PRINTED]


def test_a_page_without_lines_has_no_kinds():
    assert LineKinds.of(np.zeros((0, 3)), np.zeros((0, 3)), [], 0.2).kinds.tolist() == []


def test_print_that_leans_is_print_among_print_and_stays_on_a_page_of_writing():
    sure = (0.95, 0.04, 0.01)
    assert _kinds([sure] + [PRINT] * 9, [300] * 10, [PRINT] * 10)[0] == PRINTED
    assert _kinds([sure, LIKELY], [300] * 2, [PRINT, LIKELY]) == [WRITTEN, WRITTEN]


def test_how_surely_a_line_is_written_is_the_least_of_all_slants():
    kinds = LineKinds.of(np.array([LIKELY, PRINT]), np.array([UNSURE, LIKELY]), [np.zeros((96, 300))] * 2, 0.2)
    assert kinds.surely.tolist() == [0.5, 0.01]
    assert kinds.written.tolist() == [0.7, 0.01]


def test_a_clear_line_has_enough_evidence_and_a_letter_or_digit():
    assert shows_writing([WrittenText("a 1", 0.5, CLEAR_EVIDENCE)])
    assert not shows_writing([WrittenText("a 1", 0.99, CLEAR_EVIDENCE - 0.01)])
    assert not shows_writing([WrittenText("# . #", 1.0, 1.0), WrittenText("", 1.0, 1.0)])
    assert not shows_writing([])


def test_a_page_of_leaning_lines_has_writing_and_some_leaning_words_do_not_show_it():
    line = WrittenText("a" * (LIKELY_CHARACTERS // 2), LIKELY_EVIDENCE, 0.0)
    assert shows_writing([line, line])
    assert not shows_writing([line])
    assert not shows_writing([line, replace(line, evidence=LIKELY_EVIDENCE - 0.01)])


def _moved(written, median, pairs=MIN_PAIRS):
    probabilities = np.array([[written, (1 - written) / 2, (1 - written) / 2]])
    (row,) = with_repetition(probabilities, [np.full(pairs, median)])
    assert np.isclose(row.sum(), 1)
    return row


def test_a_line_whose_letters_are_alike_becomes_print():
    row = _moved(0.95, 0.97)
    assert row[WRITTEN] < 0.4
    assert row.argmax() == PRINTED


def test_letters_that_are_no_more_alike_than_those_of_a_hand_change_nothing():
    assert np.isclose(_moved(0.95, ALIKE)[WRITTEN], 0.95)
    assert np.isclose(_moved(0.95, 0.1)[WRITTEN], 0.95)


def test_a_very_regular_hand_stays_writing_if_the_network_is_sure():
    assert _moved(0.999, 0.9)[WRITTEN] > 0.9
    assert _moved(0.7, 0.95)[WRITTEN] < 0.2


def test_a_few_pairs_prove_nothing():
    assert np.isclose(_moved(0.95, 0.97, MIN_PAIRS - 1)[WRITTEN], 0.95)
    assert with_repetition(np.zeros((0, 3)), []).shape == (0, 3)
