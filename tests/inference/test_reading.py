"""From a line's log-probabilities to its text, confidence and box, on matrices made by hand."""

import numpy as np
import pytest

from text_recognizer.bands import Grid
from text_recognizer.inference.reading import Glyph, Reading, ReadLine, best_path, to_line
from text_recognizer.text import INDEX, MAPPING

GRID = Grid(dpi=50, cell_height=8, cell_width=4)
BLANK = "<B>"


def scores(*columns):
    """Log-probabilities (w, C) whose column `i` gives `columns[i]`'s class its probability and the others the rest."""
    matrix = np.empty((len(columns), len(MAPPING)))
    for row, (token, probability) in zip(matrix, columns, strict=True):
        row[:] = (1 - probability) / (len(MAPPING) - 1)
        row[INDEX[token]] = probability
    return np.log(matrix)


def glyphs(text, probability=0.9):
    """Characters two columns wide, one after another."""
    return [Glyph(character, probability, 2 * index, 2 * index + 1) for index, character in enumerate(text)]


def test_repeats_are_one_character_as_sure_as_its_surest_column():
    (glyph,) = best_path(scores((BLANK, 0.9), ("a", 0.6), ("a", 0.8), ("a", 0.7), (BLANK, 0.9)))
    assert (glyph.character, glyph.first, glyph.last) == ("a", 1, 3)
    assert glyph.probability == pytest.approx(0.8)


def test_a_blank_between_equal_characters_keeps_both():
    read = best_path(scores(("l", 0.9), (BLANK, 0.9), ("l", 0.9)))
    assert [(glyph.character, glyph.first) for glyph in read] == [("l", 0), ("l", 2)]


def test_special_tokens_are_no_characters():
    assert best_path(scores(("<S>", 0.9), ("<E>", 0.9), ("<P>", 0.9), (BLANK, 0.9))) == []


def test_the_last_column_counts():
    assert [glyph.character for glyph in best_path(scores((BLANK, 0.9), ("z", 0.9)))] == ["z"]


def test_a_line_has_its_text_its_mean_confidence_and_a_box_from_its_first_to_its_last_character():
    line = to_line([Glyph("o", 0.9, 3, 4), Glyph("f", 0.7, 6, 9)], centre=2.5, grid=GRID)
    assert (line.text, line.box) == ("of", (12, 10, 28, 20))
    assert line.confidence == pytest.approx(0.8)


def test_outer_spaces_belong_neither_to_the_text_nor_to_the_box():
    line = to_line(glyphs("  ab "), centre=2.0, grid=GRID)
    assert (line.text, line.box[0], line.box[2]) == ("ab", 16, 16)


def test_spaces_between_words_collapse():
    assert to_line(glyphs("to  \nbe"), centre=2.0, grid=GRID).text == "to be"


@pytest.mark.parametrize("text", ["", "  ", "\n "])
def test_a_line_without_ink_is_no_line(text):
    assert to_line(glyphs(text), centre=2.0, grid=GRID) is None


def test_a_page_s_confidence_weighs_its_lines_by_their_characters():
    reading = Reading.of([ReadLine("a", 0.2, (0, 0, 1, 1)), ReadLine("bcd", 0.6, (0, 0, 1, 1))])
    assert reading.text == "a\nbcd"
    assert reading.confidence == pytest.approx(0.5)


def test_a_page_without_lines_is_surely_empty():
    assert Reading.of([]).as_dict() == {"text": "", "confidence": 1.0, "lines": ()}
