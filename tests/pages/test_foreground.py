"""Where a normalised page is written on."""

import numpy as np
import pytest
from tests.pages.pages import bar_page

from text_recognizer.core.geometry import Box
from text_recognizer.pages.foreground import central_rows, foreground_box
from text_recognizer.pages.normalisation import normalise_contrast


def test_the_box_is_around_the_ink_and_ignores_specks():
    page = normalise_contrast(bar_page())
    page[2, 2] = 0
    assert foreground_box(page) == Box(40, 20, 50, 10)


@pytest.mark.parametrize("first", range(0, 40, 7))
def test_the_central_rows_are_about_a_third_and_cut_no_line(first):
    # Lines of 20 rows, one every 40 rows.
    page = np.full((400, 500), 255, dtype=np.uint8)
    for top in range(first, 400, 40):
        page[top : top + 20] = 0
    rows = central_rows(page)
    assert 80 <= rows.stop - rows.start <= 190
    assert rows.start < 200 < rows.stop
    assert (page[[rows.start, rows.stop]] == 255).all()


@pytest.mark.parametrize("shape", [(99, 500), (1, 1), (2, 900)])
def test_all_rows_of_a_low_picture_are_central(shape):
    assert central_rows(np.zeros(shape, dtype=np.uint8)) == slice(0, shape[0])


@pytest.mark.parametrize("shape", [(3000, 7), (101, 500), (2, 1)])
def test_there_is_always_a_central_row(shape):
    rows = central_rows(np.zeros(shape, dtype=np.uint8))
    assert 0 <= rows.start < rows.stop <= shape[0]
