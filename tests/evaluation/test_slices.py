"""Slices and length outliers, against what can be counted by hand."""

import pytest

from text_recognizer.evaluation.slices import find_length_outliers, score_slices


def test_slices_by_character_count_the_misread_characters_of_each_kind(make_page, section):
    pages = [
        make_page("a", "w1", "Ann has 12 pens.", "ann has 72 pen."),
        make_page("b", "w2", "no digits", "no digits"),
    ]
    rows = {row.name: row for row in score_slices(pages, section) if row.by == "character"}
    assert (rows["digits"].characters, rows["digits"].cer, rows["digits"].pages) == (2, 0.5, 1)
    assert (rows["capitals"].characters, rows["capitals"].cer) == (1, 1.0)
    assert (rows["punctuation"].characters, rows["punctuation"].cer) == (1, 0.0)
    assert rows["small letters"].cer == 1 / 17
    # There is no interval over one writer
    assert rows["digits"].interval is None


@pytest.mark.parametrize("by", ["lines", "length"])
def test_slices_by_lines_and_by_length_add_up_to_all_pages(make_page, section, by):
    pages = [
        make_page("a", "w1", "one", "one"),
        make_page("b", "w2", "one\ntwo", "one\ntoo"),
        make_page("c", "w1", "x" * 60, ""),
    ]
    rows = [row for row in score_slices(pages, section) if row.by == by]
    assert sum(row.characters * row.cer for row in rows) == 61
    assert sum(row.pages for row in rows) == 3


def test_a_slice_over_several_writers_has_an_interval_around_its_cer(make_page, section):
    pages = [make_page("a", "w1", "one", "one"), make_page("b", "w2", "one\ntwo", "one\ntoo")]
    (row,) = [row for row in score_slices(pages, section) if row.name == "up to 50 characters"]
    low, high = row.interval
    assert low <= row.cer == 1 / 10 <= high


def test_loops_and_early_stops_are_found_by_the_length_ratio(make_page):
    pages = [
        make_page("fine", "w", "to be or not", "to be or nut"),
        make_page("loop", "w", "to be", "to be to be to be"),
        make_page("stop", "w", "to be or not", "to"),
        make_page("blank", "w", "", ""),
    ]
    assert [(row.id, row.kind) for row in find_length_outliers(pages)] == [("loop", "loop"), ("stop", "early stop")]
