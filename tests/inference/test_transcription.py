"""The text, confidences and box of a line from its log-probabilities, on matrices made by hand."""

from dataclasses import replace

import numpy as np
import pytest

from text_recognizer.core.charset import CHARSET, INDEX
from text_recognizer.core.geometry import Box, Point
from text_recognizer.inference.transcription import (
    Calibration,
    EmittedCharacter,
    PageGeometry,
    TranscribedLine,
    Transcription,
    best_path,
    emitted_characters,
    tempered,
    to_line,
)

BLANK = "<B>"
BOX = Box(0, 0, 1, 1)


class Columns:
    """A line whose columns are 4 pixels wide."""

    def box(self, first, last):
        return Box(4 * first, 10, 4 * (last + 1 - first), 20)


def line_scores(*columns):
    """Log-probabilities (w, C). Column `i` gives its token its probability, and the other classes the rest."""
    matrix = np.empty((len(columns), len(CHARSET)))
    for row, (token, probability) in zip(matrix, columns, strict=True):
        row[:] = (1 - probability) / (len(CHARSET) - 1)
        row[INDEX[token]] = probability
    return np.log(matrix)


def emitted(text, probability=0.9):
    """Characters that are two columns wide, one after another."""
    return [EmittedCharacter(character, probability, 2 * index, 2 * index + 1) for index, character in enumerate(text)]


def test_repeats_are_one_character_with_the_confidence_of_its_best_column():
    (only,) = best_path(line_scores((BLANK, 0.9), ("a", 0.6), ("a", 0.8), ("a", 0.7), (BLANK, 0.9)))
    assert (only.character, only.first, only.last) == ("a", 1, 3)
    assert only.probability == pytest.approx(0.8)


def test_a_blank_between_equal_characters_keeps_both():
    found = best_path(line_scores(("l", 0.9), (BLANK, 0.9), ("l", 0.9)))
    assert [(one.character, one.first) for one in found] == [("l", 0), ("l", 2)]


def test_special_tokens_are_not_characters():
    assert best_path(line_scores(("<S>", 0.9), ("<E>", 0.9), ("<P>", 0.9), (BLANK, 0.9))) == []


def test_the_last_column_counts():
    assert [one.character for one in best_path(line_scores((BLANK, 0.9), ("z", 0.9)))] == ["z"]


def test_a_confidence_is_the_tempered_probability_raised_to_the_exponent():
    scores = line_scores(("a", 0.8))
    (only,) = emitted_characters(scores, scores.argmax(axis=1), Calibration(temperature=2.0, exponent=0.5))
    assert only.probability == pytest.approx(tempered(scores, 2.0)[0, INDEX["a"]] ** 0.5)


@pytest.mark.parametrize(("temperature", "compare"), [(0.5, np.greater), (2.0, np.less)])
def test_a_temperature_below_one_sharpens_probabilities_and_one_above_flattens_them(temperature, compare):
    probabilities = tempered(line_scores(("a", 0.8)), temperature)
    assert compare(probabilities[0, INDEX["a"]], 0.8)
    assert probabilities.sum() == pytest.approx(1)


def test_a_line_has_its_text_its_mean_confidence_and_a_box_from_its_first_to_its_last_character():
    line = to_line([EmittedCharacter("o", 0.9, 3, 4), EmittedCharacter("f", 0.7, 6, 9)], Columns())
    assert (line.text, line.box) == ("of", Box(12, 10, 28, 20))
    assert line.confidence == pytest.approx(0.8)


def test_outer_spaces_belong_neither_to_the_text_nor_to_the_box():
    line = to_line(emitted("  ab "), Columns())
    assert (line.text, line.box.x, line.box.width) == ("ab", 16, 16)


def test_repeated_spaces_between_words_collapse():
    assert to_line(emitted("to  \nbe"), Columns()).text == "to be"


@pytest.mark.parametrize("text", ["", "  ", "\n "])
def test_a_line_of_spaces_is_no_line(text):
    assert to_line(emitted(text), Columns()) is None


def test_the_confidence_of_a_word_is_the_product_over_its_characters():
    line = TranscribedLine("to be", 0.7, BOX, (0.9, 0.5, 1.0, 0.8, 0.8))
    assert line.words == [("to", pytest.approx(0.45)), ("be", pytest.approx(0.64))]


def test_the_confidence_of_a_page_is_the_mean_over_its_characters():
    page = Transcription.of([TranscribedLine("a", 0.2, BOX), TranscribedLine("bcd", 0.6, BOX)])
    assert page.text == "a\nbcd"
    assert page.confidence == pytest.approx(0.5)


def test_each_word_has_the_box_of_its_characters():
    line = to_line(emitted("to be"), Columns())
    assert [(box.x, box.width) for box in line.word_boxes] == [(0, 16), (24, 16)]


def test_the_record_of_a_page_holds_its_lines_and_their_words():
    boxes = Box(1, 2, 2, 4), Box(4, 2, 1, 4)
    line = TranscribedLine("to be", 0.7, Box(1, 2, 3, 4), (0.5, 0.5, 1.0, 1.0, 1.0), boxes, kind="printed", region=1)
    record = Transcription.of([line]).to_record()
    assert (record.text, record.confidence) == ("to be", 0.7)
    assert record.model_dump(mode="json")["lines"] == [
        {
            "text": "to be",
            "confidence": 0.7,
            "box": [1, 2, 3, 4],
            "words": [
                {"text": "to", "confidence": 0.25, "box": [1, 2, 2, 4], "crossed_out": False},
                {"text": "be", "confidence": 1.0, "box": [4, 2, 1, 4], "crossed_out": False},
            ],
            "polygon": [],
            "baseline": [],
            "kind": "printed",
            "dubious": False,
            "region": 1,
        }
    ]


def test_the_record_of_a_page_without_lines_is_empty_with_full_confidence():
    record = Transcription.of([]).to_record()
    assert (record.text, record.confidence, record.lines, record.regions) == ("", 1.0, (), ())


def test_the_record_of_a_page_has_its_size_its_turn_and_its_sheet():
    corners = Point(0, 0), Point(9, 0), Point(9, 9), Point(0, 9)
    geometry = PageGeometry(40, 30, 270, corners, (Box(1, 2, 3, 4),))
    record = replace(Transcription.of([]), geometry=geometry).to_record()
    assert (record.width, record.height, record.turn, record.sheet) == (40, 30, 270, corners)
    assert [region.box for region in record.regions] == [Box(1, 2, 3, 4)]
