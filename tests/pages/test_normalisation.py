"""Normalising the light and the contrast of a page."""

import numpy as np
import pytest
from tests.pages.pages import bar_page

from text_recognizer.pages.foreground import foreground_box
from text_recognizer.pages.normalisation import even_light, normalise_contrast, otsu_threshold, percentiles


@pytest.mark.parametrize(("ink", "paper"), [(30, 240), (100, 180), (0, 255)])
def test_contrast_is_stretched_to_black_ink_on_white_paper(ink, paper):
    np.testing.assert_array_equal(normalise_contrast(bar_page(ink, paper)), bar_page(0, 255))


def test_light_writing_on_a_dark_ground_is_inverted():
    np.testing.assert_array_equal(normalise_contrast(bar_page(220, 40)), bar_page(0, 255))


@pytest.mark.parametrize("shade", [0, 128, 255])
def test_a_page_of_one_shade_becomes_blank(shade):
    assert (normalise_contrast(np.full((50, 50), shade, dtype=np.uint8)) == 255).all()


def test_a_page_of_paper_grain_becomes_blank():
    grain = np.random.default_rng(0).integers(225, 245, (80, 80), dtype=np.uint8)
    assert (normalise_contrast(grain) == 255).all()
    assert foreground_box(normalise_contrast(grain)) is None


def ruled(shade):
    """Return rows of strokes on paper of 240. `shade` gives the brightness at (y, x), both from 0 to 1."""
    page = np.full((400, 600), 240.0)
    for top in range(40, 360, 40):
        page[top : top + 14, 40:560:6] = 40
    y, x = np.mgrid[0:1:400j, 0:1:600j]
    return np.round(page * shade(y, x)).astype(np.uint8)


def no_shadow(_y, x):
    return np.ones_like(x)


SHADOWS = {
    "from the side": lambda _, x: 1 - 0.5 * x,
    "in a corner": lambda y, x: 1 - 0.5 * np.clip(1 - np.hypot(x - 1, y), 0, 1),
}


@pytest.mark.parametrize("shadow", SHADOWS.values(), ids=SHADOWS.keys())
def test_a_shadow_over_the_paper_is_removed(shadow):
    lit, shaded = normalise_contrast(ruled(no_shadow)), normalise_contrast(ruled(shadow))

    assert ((shaded < 128) == (lit < 128)).mean() > 0.999
    assert (shaded[lit == 255] > 230).mean() > 0.999


@pytest.mark.parametrize("shade", [no_shadow, lambda _, x: 1 - 0.1 * x], ids=["none", "slight"])
def test_even_paper_is_left_as_it_is(shade):
    page = ruled(shade)
    assert even_light(page) is page


@pytest.mark.parametrize(
    "page",
    [255 - ruled(no_shadow), np.zeros((400, 600), np.uint8), np.full((1, 1), 9, np.uint8)],
    ids=["light on dark", "black", "one pixel"],
)
def test_a_page_without_light_paper_is_left_as_it_is(page):
    assert even_light(page) is page


@pytest.mark.parametrize("size", [1, 2, 3, 101, 5000])
def test_percentiles_equal_those_of_numpy(size):
    values = np.random.default_rng(size).integers(0, 256, size, dtype=np.uint8)
    assert percentiles(values, (0.5, 50, 99.5)) == pytest.approx(list(np.percentile(values, (0.5, 50, 99.5))))


def test_otsus_threshold_separates_two_shades_and_binarises_with_them():
    page = np.where(np.arange(1000).reshape(20, 50) % 7 == 0, 60, 180).astype(np.uint8)
    assert 60 <= otsu_threshold(page) < 180
    assert set(np.unique(normalise_contrast(page, binarise=True))) == {0, 255}
    assert otsu_threshold(np.full((4, 4), 7, np.uint8)) >= 0
