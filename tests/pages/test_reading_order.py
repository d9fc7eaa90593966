"""The reading order of made-up layouts: lines that are given in any order are put into the true one."""

import time

import numpy as np
import pytest

from text_recognizer.core.order_metrics import footrule_distance, kendall_distance
from text_recognizer.pages.line_building import TextLine, join_lines
from text_recognizer.pages.reading_order import order_lines
from text_recognizer.pages.text_detection import TextBox

HEIGHT = 20
PITCH = 34


def line(left: float, middle: float, width: float, height: float = HEIGHT, degrees: float = 0) -> TextLine:
    return TextLine((TextBox(left + width / 2, middle, width, height, degrees, 0.9),))


def column(
    left: float, top: float, widths: list[float], pitch: float = PITCH, height: float = HEIGHT
) -> list[TextLine]:
    """A column of lines whose middles are a pitch apart; the first is at `top`."""
    return [line(left, top + pitch * row, width, height) for row, width in enumerate(widths)]


def two_columns() -> list[TextLine]:
    return [*column(10, 40, [300, 290, 305, 280, 150]), *column(350, 45, [290, 300, 310, 295, 300, 120])]


def two_columns_on_ruled_paper() -> list[TextLine]:
    return [*column(10, 40, [300, 290, 305, 280, 300]), *column(350, 40, [290, 300, 310, 295, 300])]


def three_columns_of_unequal_lengths() -> list[TextLine]:
    return [*column(10, 40, [200] * 9), *column(240, 47, [190] * 5), *column(460, 52, [200] * 3)]


def heading_over_columns() -> list[TextLine]:
    return [line(100, 20, 420, 40), *column(10, 80, [300] * 5), *column(350, 85, [300] * 6)]


def columns_between_a_heading_and_a_footer() -> list[TextLine]:
    below = column(10, 330, [620, 600])
    return [line(60, 20, 500, 40), *column(10, 80, [300] * 5), *column(350, 85, [300] * 6), *below]


def two_blocks_of_columns_with_text_between() -> list[TextLine]:
    first = [*column(10, 40, [300] * 4), *column(350, 45, [300] * 4)]
    second = [*column(10, 340, [300] * 4), *column(350, 345, [300] * 4)]
    return [*first, *column(10, 200, [620, 610, 600]), *second]


def table_with_short_cells() -> list[TextLine]:
    return [line(10 + 150 * place, 40 + PITCH * row, 60) for row in range(4) for place in range(4)]


def table_with_long_cells() -> list[TextLine]:
    widths = np.random.default_rng(1).uniform(80, 130, (5, 3))
    return [line(10 + 250 * place, 40 + PITCH * row, widths[row, place]) for row in range(5) for place in range(3)]


def table_with_cells_of_unequal_lengths() -> list[TextLine]:
    widths = [(100, 90), (85, 120), (190, 85), (90, 100), (85, 95)]
    return [line(10 + 215 * place, 40 + PITCH * row, widths[row][place]) for row in range(5) for place in range(2)]


def labels_before_their_answers() -> list[TextLine]:
    return [line(*part) for row in range(5) for part in ((10, 40 + PITCH * row, 60), (120, 41 + PITCH * row, 400))]


def note_in_the_left_margin() -> list[TextLine]:
    return [*column(10, 115, [70, 60], pitch=24, height=14), *column(130, 40, [500, 480, 510, 490, 500, 470, 300])]


def note_in_the_right_margin() -> list[TextLine]:
    return [*column(10, 40, [500, 480, 505, 490, 500, 470, 300]), *column(540, 97, [70, 60, 65], pitch=22, height=14)]


def note_beside_a_text_with_a_heading() -> list[TextLine]:
    text = column(10, 80, [500, 480, 505, 490, 500])
    return [line(10, 20, 620, 40), *text, *column(540, 131, [70, 60], pitch=24, height=14)]


def note_at_an_angle() -> list[TextLine]:
    return [*column(10, 40, [500, 480, 505, 490, 500, 470, 300]), line(540, 142, 110, 16, 35)]


def note_that_runs_up_the_margin() -> list[TextLine]:
    return [line(-55, 150, 150, 16, -90), *column(60, 40, [500, 480, 505, 490, 500, 470, 300])]


def boxes_in_two_rows() -> list[TextLine]:
    places = [(10, 40), (350, 44), (10, 260), (350, 257)]
    return [one for left, top in places for one in column(left, top, [250, 240, 255])]


def date_on_the_right_over_a_letter() -> list[TextLine]:
    return [line(500, 20, 120), line(10, 60, 150), *column(10, 110, [600, 610, 590, 600, 250])]


def word_inserted_over_a_line() -> list[TextLine]:
    first, *others = column(10, 40, [600, 590, 610, 600], pitch=44)
    return [first, line(250, 64, 70, 14), *others]


def page_number_below_the_text() -> list[TextLine]:
    return [*column(10, 40, [600, 590, 610, 600]), line(560, 230, 20)]


LAYOUTS = [
    two_columns,
    two_columns_on_ruled_paper,
    three_columns_of_unequal_lengths,
    heading_over_columns,
    columns_between_a_heading_and_a_footer,
    two_blocks_of_columns_with_text_between,
    table_with_short_cells,
    table_with_long_cells,
    table_with_cells_of_unequal_lengths,
    labels_before_their_answers,
    note_in_the_left_margin,
    note_in_the_right_margin,
    note_beside_a_text_with_a_heading,
    note_at_an_angle,
    note_that_runs_up_the_margin,
    boxes_in_two_rows,
    date_on_the_right_over_a_letter,
    word_inserted_over_a_line,
    page_number_below_the_text,
]


def turned(lines: list[TextLine], degrees: float) -> list[TextLine]:
    """The lines of a page that is turned clockwise."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return [
        TextLine(
            tuple(
                TextBox(
                    box.x * cosine - box.y * sine,
                    box.x * sine + box.y * cosine,
                    box.width,
                    box.height,
                    box.degrees + degrees,
                    box.score,
                )
                for box in one.pieces
            )
        )
        for one in lines
    ]


@pytest.mark.parametrize("degrees", [0, 4])
@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)
def test_the_order_of_a_layout_is_the_true_one(layout, degrees: float) -> None:
    true = turned(layout(), degrees)
    for seed in range(3):
        shuffled = [true[index] for index in np.random.default_rng(seed).permutation(len(true))]
        ranks = [true.index(one) for one in order_lines(shuffled).lines]
        assert sorted(ranks) == list(range(len(true)))
        assert (kendall_distance(ranks), footrule_distance(ranks)) == (0.0, 0.0), ranks


@pytest.mark.parametrize(
    ("layout", "sizes"),
    [
        (columns_between_a_heading_and_a_footer, [1, 5, 6, 2]),
        (note_in_the_right_margin, [7, 3]),
        (boxes_in_two_rows, [3, 3, 3, 3]),
        (table_with_long_cells, [15]),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_columns_boxes_and_notes_are_regions(layout, sizes: list[int]) -> None:
    regions = order_lines(layout()).regions
    assert [regions.count(number) for number in range(max(regions) + 1)] == sizes


def test_a_word_inserted_over_a_gap_does_not_join_the_line() -> None:
    def piece(left: float, middle: float, width: float, height: float = HEIGHT) -> TextBox:
        return TextBox(left + width / 2, middle, width, height, 0, 0.9)

    pieces = [piece(10, 100, 200), piece(230, 100, 300), piece(195, 84, 50, 14)]
    found = sorted(join_lines(pieces), key=lambda one: len(one.pieces))
    assert [len(one.pieces) for one in found] == [1, 2]
    assert order_lines(found).lines == tuple(found)


def test_a_large_page_is_ordered_quickly() -> None:
    lines = [line(10 + 330 * place, 40 + PITCH * row, 300) for row in range(60) for place in range(2)]
    crossing = [line(10, 40 + PITCH * (row + 0.5), 630, 10) for row in range(0, 60, 7)]
    started = time.process_time()
    assert len(order_lines([*lines, *crossing]).lines) == len(lines) + len(crossing)
    assert time.process_time() - started < 5
