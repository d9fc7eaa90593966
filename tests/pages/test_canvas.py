"""Placing a page on a canvas."""

import numpy as np
import pytest

from text_recognizer.pages.canvas import place_on_canvas


@pytest.mark.parametrize("shape", [(60, 120), (500, 20), (20, 500), (1, 1), (3000, 7), (64, 96)])
@pytest.mark.parametrize("scale", [0.1, 1.0, 3.7])
def test_a_picture_never_leaves_the_canvas(shape, scale):
    placed = place_on_canvas(np.zeros(shape, dtype=np.uint8), (64, 96), scale)
    assert placed.canvas.shape == (64, 96)
    assert placed.scale <= scale
    rows, columns = (placed.canvas < 128).any(axis=1).sum(), (placed.canvas < 128).any(axis=0).sum()
    assert (rows, columns) == tuple(max(1, round(side * placed.scale)) for side in shape)


def test_the_placement_says_where_the_crop_was_taken():
    placed = place_on_canvas(np.zeros((20, 30), dtype=np.uint8), (80, 160), 1.5, left=100, top=50)
    assert (placed.scale, placed.left, placed.top) == (1.5, 100, 50)
