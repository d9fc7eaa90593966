"""The share of ink and the slant, on strokes that are drawn with a known slant."""

import numpy as np
import pytest

from text_recognizer.evaluation.page_style import ink_share, slant


@pytest.mark.parametrize("degrees", [-20, 0, 20])
def test_the_slant_of_strokes_is_estimated(slanted_strokes, degrees):
    assert slant(slanted_strokes(degrees)) == pytest.approx(degrees, abs=5)


def test_the_ink_share_is_that_of_dark_pixels_in_the_box_around_the_text():
    canvas = np.full((40, 40), 255, np.uint8)
    canvas[10:20, 10:12] = canvas[10:20, 18:20] = 0
    assert ink_share(canvas) == pytest.approx(0.4)


def test_a_blank_page_has_no_ink_and_no_slant():
    canvas = np.full((40, 40), 255, np.uint8)
    assert (ink_share(canvas), slant(canvas)) == (0.0, None)
