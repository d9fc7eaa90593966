"""No line runs across the gap between two columns, a text and a note, or the cells of a table."""

import numpy as np
import pytest

from text_recognizer.pages.column_starts import column_starts
from text_recognizer.pages.line_building import join_lines
from text_recognizer.pages.text_detection import TextBox

HEIGHT, PITCH = 20, 34


def piece(left: float, middle: float, right: float, height: float = HEIGHT) -> TextBox:
    return TextBox((left + right) / 2, middle, right - left, height, 0.0, 0.9)


def column(left: float, rights: list[float], top: float = 40, pitch: float = PITCH) -> list[TextBox]:
    return [piece(left, top + pitch * row, right) for row, right in enumerate(rights)]


def turned(boxes: list[TextBox], degrees: float) -> list[TextBox]:
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return [
        TextBox(b.x * cosine - b.y * sine, b.x * sine + b.y * cosine, b.width, b.height, degrees, b.score)
        for b in boxes
    ]


TEXT = column(10, [300, 290, 310, 305])


@pytest.mark.parametrize("degrees", [0, 6, -6])
def test_the_lines_of_two_columns_are_not_joined(degrees: float) -> None:
    boxes = turned([*TEXT, *column(335, [640, 600, 630, 610])], degrees)

    assert column_starts(boxes) == {4, 5, 6, 7}
    assert len(join_lines(boxes)) == 8


def test_a_note_with_its_own_pitch_is_not_joined_to_the_text() -> None:
    note = column(330, [420, 430, 410, 425], top=44, pitch=26)

    assert all(len(line.pieces) == 1 for line in join_lines([*TEXT, *note]))


def test_the_cells_of_a_table_are_not_joined() -> None:
    cells = [piece(left, 40 + PITCH * row, left + 60) for row in range(4) for left in (10, 100, 190)]

    assert len(join_lines(cells)) == 12


def test_three_words_that_begin_at_the_same_place_are_no_column() -> None:
    words = [piece(left, 40 + PITCH * row, left + 60) for row in range(3) for left in (10, 100)]

    assert len(join_lines(words)) == 3


def test_wide_gaps_between_words_at_other_places_are_joined() -> None:
    words = [piece(*at) for at in ((10, 40, 90), (115, 40, 300), (10, 74, 150), (175, 74, 310), (10, 108, 60))]
    words += [piece(85, 108, 290)]

    assert column_starts(words) == frozenset()
    assert len(join_lines(words)) == 3


def test_a_line_that_crosses_the_gap_ends_a_column() -> None:
    # Given gaps at one place in two rows, a full line, and two rows again
    rows = [piece(left, 40 + PITCH * row, left + 150) for row in (0, 1, 3, 4) for left in (10, 180)]

    assert column_starts([*rows, piece(10, 40 + 2 * PITCH, 330)]) == frozenset()
    assert column_starts([*rows, piece(10, 40 + 2 * PITCH, 160), piece(180, 40 + 2 * PITCH, 330)]) != frozenset()


def test_the_left_edge_of_a_page_and_narrow_gaps_are_no_columns() -> None:
    assert column_starts(TEXT + column(10, [300] * 3, top=300)) == frozenset()
    narrow = [piece(left, 40 + PITCH * row, left + 140) for row in range(5) for left in (10, 155)]
    assert len(join_lines(narrow)) == 5


def test_few_pieces_make_no_column() -> None:
    assert column_starts([]) == frozenset()
    assert column_starts([piece(10, 40, 90), piece(120, 40, 200)]) == frozenset()
