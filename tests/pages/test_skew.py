"""Estimating and removing the skew of a page's lines."""

import numpy as np
import pytest
from tests.pages.pages import GREY

from text_recognizer.core.geometry import Box
from text_recognizer.pages.foreground import foreground_box
from text_recognizer.pages.skew import deskew, estimate_skew, rotate


def page_of_lines(count=4, height=400, width=500):
    """Return white paper with lines of strokes that stand as close as letters do."""
    page = np.full((height, width), 255, dtype=np.uint8)
    for top in range(40, 40 + 70 * count, 70):
        for left in range(30, width - 30, 9):
            page[top : top + 20 + left % 7, left : left + 3] = 0
    return page


@pytest.mark.parametrize("degrees", [-7, -4, -2, 1.5, 3, 6])
@pytest.mark.parametrize("lines", [1, 4])
def test_skewed_lines_become_horizontal(degrees, lines):
    page = rotate(page_of_lines(lines), degrees)
    assert estimate_skew(page) == pytest.approx(degrees, abs=0.3)
    assert abs(deskew(page).degrees + degrees) <= 0.3
    assert estimate_skew(deskew(page).grey) == 0


@pytest.mark.parametrize(
    "page",
    [page_of_lines(), rotate(page_of_lines(), 0.4), np.full((30, 40), 255, np.uint8), GREY],
    ids=["horizontal", "slight", "blank", "no lines"],
)
def test_a_page_without_certain_skew_is_left_as_it_is(page):
    deskewed = deskew(page)
    assert deskewed.grey is page
    assert deskewed.to_picture(Box(3, 4, 5, 6)) == Box(3, 4, 5, 6)


def test_a_single_word_does_not_pass_for_a_skewed_line():
    # A word whose tall letter and whose descender make a slope.
    page = np.full((60, 90), 255, dtype=np.uint8)
    page[10:30, 10:14] = page[20:30, 30:34] = page[20:30, 50:54] = page[20:44, 70:74] = 0
    assert estimate_skew(page) == 0


@pytest.mark.parametrize("degrees", [-5, 3])
def test_a_box_of_a_deskewed_page_is_converted_to_pixels_of_the_original(degrees):
    # A blot beside skewed lines, in the corner of the picture.
    page = page_of_lines()
    page[345:385, 440:490] = 0
    deskewed = deskew(rotate(page, degrees))
    height, width = page.shape
    dy, dx = (deskewed.grey.shape[0] - height) / 2, (deskewed.grey.shape[1] - width) / 2
    box = deskewed.to_picture(Box(440 + round(dx), 345 + round(dy), 50, 40))
    # The box holds all of the blot, and little else.
    blot = np.full_like(page, 255)
    blot[345:385, 440:490] = 0
    expected = foreground_box(rotate(blot, degrees))
    found_edges, expected_edges = ((one.x, one.y, one.right, one.bottom) for one in (box, expected))
    np.testing.assert_allclose(found_edges, expected_edges, atol=3)
