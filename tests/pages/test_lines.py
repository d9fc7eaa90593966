"""Pieces of text become lines, lines get an order, and each line becomes a straight strip."""

from itertools import pairwise

import numpy as np
import pytest

from text_recognizer.core.geometry import Box, Point
from text_recognizer.pages.line_building import TextLine, _gap, _near, join_lines
from text_recognizer.pages.line_finding import Upright
from text_recognizer.pages.reading_order import order_lines
from text_recognizer.pages.strips import MARGIN, STRIP_HEIGHT, TEXT_HEIGHT, rectify
from text_recognizer.pages.text_detection import TextBox


def box(left: float, middle: float, right: float, height: float = 20, degrees: float = 0) -> TextBox:
    return TextBox((left + right) / 2, middle, right - left, height, degrees, 0.9)


def line(left: float, middle: float, right: float, height: float = 20) -> TextLine:
    return TextLine((box(left, middle, right, height),))


def lefts(found: TextLine) -> list[float]:
    return [piece.x - piece.width / 2 for piece in found.pieces]


def test_pieces_beside_each_other_are_one_line_from_left_to_right() -> None:
    (found,) = join_lines([box(210, 52, 300), box(10, 50, 90), box(110, 49, 195)])

    assert lefts(found) == [10, 110, 210]


def test_pieces_far_apart_or_one_below_the_other_are_two_lines() -> None:
    assert len(join_lines([box(10, 50, 90), box(300, 50, 400)])) == 2
    assert len(join_lines([box(10, 50, 90), box(95, 70, 180)])) == 2
    assert len(join_lines([box(10, 50, 90), box(100, 50, 180, height=60)])) == 2


def test_pairs_are_left_out_unseen_only_if_they_make_no_line() -> None:
    # Given pieces of any sizes and slants all over a page
    draw = np.random.default_rng(0)
    pieces = [
        TextBox(*draw.uniform(0, 400, 2), *draw.uniform([20, 8], [90, 40]), draw.uniform(-15, 15), 0.9)
        for _ in range(90)
    ]
    pairs = [(a, b) for a in range(90) for b in range(90) if a != b and _gap(pieces[a], pieces[b]) is not None]
    near = {(a, b) for a, b in _near(pieces)}
    # Then all that may be joined are looked at, and most others are not
    assert len(pairs) > 20
    assert near.issuperset(pairs)
    assert len(near) < 90 * 90 / 10


def test_a_piece_belongs_to_one_line_only() -> None:
    found = join_lines([box(10, 50, 90), box(100, 46, 180), box(100, 57, 180)])

    assert sorted(len(one.pieces) for one in found) == [1, 2]


def test_columns_are_read_one_after_the_other() -> None:
    left = [line(10, 50 + 40 * row, 200) for row in range(5)]
    right = [line(250, 45 + 40 * row, 440) for row in range(6)]
    title = line(10, 10, 440)

    ordered = order_lines([*right, *left, title])

    assert list(ordered.lines) == [title, *left, *right]
    assert ordered.regions == (0, *[1] * 5, *[2] * 6)


def test_rows_of_a_table_are_read_from_left_to_right() -> None:
    cells = [line(10 + 100 * column, 50 + 40 * row, 60 + 100 * column) for row in range(3) for column in range(3)]

    assert list(order_lines(cells[::-1]).lines) == cells


def test_the_lines_of_a_slanted_page_keep_their_order() -> None:
    rows = [TextLine((TextBox(200 - 0.17 * 40 * row, 60 + 40 * row, 300, 20, 10, 0.9),)) for row in range(6)]

    assert list(order_lines(rows[::-1]).lines) == rows


def test_no_lines_have_no_order() -> None:
    assert order_lines([]).lines == ()


def test_a_strip_shows_the_line_level_and_at_its_height() -> None:
    picture = np.full((300, 400), 255, np.uint8)
    found = TextLine((TextBox(200, 150, 200, 32, 30, 0.9),))
    for along in np.linspace(-1, 1, 4000):
        ((x, y),) = found.pieces[0].point(np.array([along]), np.zeros(1))
        picture[round(y) - 2 : round(y) + 2, round(x) - 2 : round(x) + 2] = 0

    (strip,) = rectify(picture, [found])

    assert strip.pixels.shape == (STRIP_HEIGHT, 200 * TEXT_HEIGHT // 32 + 2 * MARGIN)
    dark = strip.pixels < 128
    rows = np.flatnonzero(dark.any(axis=1))
    assert abs(rows.mean() - STRIP_HEIGHT / 2) < 2
    assert np.ptp(rows) < 16
    assert dark[:, MARGIN + 5 : -MARGIN - 5].any(axis=0).all()


def test_columns_of_a_strip_map_back_to_the_picture() -> None:
    (strip,) = rectify(np.full((300, 400), 255, np.uint8), [line(100, 150, 300, height=32)])

    assert strip.box(MARGIN, MARGIN + 100) == pytest.approx(Box(100, 134, 50, 32), abs=2)


@pytest.mark.parametrize("quarters", range(4))
def test_a_turn_is_undone_for_points_and_boxes(quarters: int) -> None:
    picture = np.zeros((30, 50), np.uint8)
    picture[4:10, 20:40] = 1
    upright = Upright(quarters, (30, 50))
    rows, columns = np.nonzero(upright.apply(picture))
    turned = Box(int(columns.min()), int(rows.min()), int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1)

    assert upright.box(turned) == Box(20, 4, 20, 6)
    assert upright.degrees == 90 * quarters
    assert upright.point(Point(0, 0)) == [(0, 0), (0, 30), (50, 30), (50, 0)][quarters]


def test_baseline_and_outline_run_along_the_line() -> None:
    found = line(100, 150, 300, height=32)

    assert all(first.x < second.x for first, second in pairwise(found.baseline()))
    assert all(150 < point.y < 166 for point in found.baseline())
    assert found.box() == Box(100, 134, 200, 32)
    assert found.polygon()[0] == Point(100, 134)
