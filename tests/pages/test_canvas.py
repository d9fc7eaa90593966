"""Placing a page on a canvas."""

import numpy as np
import pytest
from tests.pages.pages import bar_page

from text_recognizer.pages.canvas import place_on_canvas
from text_recognizer.pages.foreground import foreground_box
from text_recognizer.pages.normalisation import normalise_contrast


@pytest.mark.parametrize("shape", [(60, 120), (500, 20), (20, 500), (1, 1), (3000, 7), (64, 96)])
@pytest.mark.parametrize("scale", [0.1, 1.0, 3.7])
def test_a_picture_never_leaves_the_canvas(shape, scale):
    placed = place_on_canvas(np.zeros(shape, dtype=np.uint8), (64, 96), scale)
    assert placed.canvas.shape == (64, 96)
    assert placed.scale <= scale
    rows, columns = (placed.canvas < 128).any(axis=1).sum(), (placed.canvas < 128).any(axis=0).sum()
    assert (rows, columns) == tuple(max(1, round(side * placed.scale)) for side in shape)


@pytest.mark.parametrize("scale", [0.25, 0.6, 1.0, 1.3])
def test_a_box_on_the_canvas_is_converted_to_pixels_of_the_picture(scale):
    # A bar in rows 20 to 30 and columns 40 to 90 of a crop that was taken at (100, 50).
    placed = place_on_canvas(normalise_contrast(bar_page()), (80, 160), scale, left=100, top=50)
    box = placed.to_picture(foreground_box(placed.canvas))
    # The box is right to within one pixel of the canvas.
    errors = np.abs(np.array([box.x - 140, box.y - 70, box.width - 50, box.height - 10]))
    assert (errors <= max(1, 1 / placed.scale)).all()
