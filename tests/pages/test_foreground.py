"""Where a normalised page is written on."""

from tests.pages.pages import bar_page

from text_recognizer.core.geometry import Box
from text_recognizer.pages.foreground import foreground_box
from text_recognizer.pages.normalisation import normalise_contrast


def test_the_box_is_around_the_ink_and_ignores_specks():
    page = normalise_contrast(bar_page())
    page[2, 2] = 0
    assert foreground_box(page) == Box(40, 20, 50, 10)
