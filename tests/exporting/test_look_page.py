"""The page of `look`: it needs no other file, and shows every line, word and step."""

import re

import numpy as np
import pytest

from text_recognizer.core.errors import TextRecognizerError
from text_recognizer.exporting import PictureSource
from text_recognizer.exporting.look_page import LookStep, look_page


def test_the_page_refers_to_no_other_file(any_page, source):
    shown = look_page(any_page, source, [LookStep("strip", np.zeros((96, 200), np.uint8))])
    references = re.findall(r"(?:href|src)=\"([^\"]*)\"", shown)
    assert len(references) == 3
    assert [one[:30] for one in references if not one.startswith("data:")] == []
    assert "http" not in shown
    assert "url(" not in shown


def test_every_line_is_drawn_in_the_style_of_its_kind_and_listed(two_columns, source):
    shown = look_page(two_columns, source)
    for tag in ("g", "li"):
        assert re.findall(rf'<{tag} class="(\w+)" data-line="(\d)"', shown) == [
            ("written", "1"),
            ("printed", "2"),
            ("dubious", "3"),
        ]
    assert 'points="450,100 650,90 650,140 450,150"' in shown
    assert 'points="450,140 550,135 650,130"' in shown
    assert shown.count('class="region"') == 2
    assert 'points="10,10 790,12 788,590 8,588"' in shown


def test_every_word_has_its_confidence(two_columns, source):
    found = re.findall(r'title="confidence ([\d.]+)">([^<]+)<', look_page(two_columns, source))
    assert found == [("0.90", word) for word in two_columns.text.split()]


def test_markup_in_the_text_and_in_names_is_text(awkward, source):
    shown = look_page(awkward, PictureSource("<i>.png", source.pixels))
    assert "<b>" not in shown
    assert "<i>" not in shown


@pytest.mark.parametrize(
    ("turn", "view", "transform"),
    [
        (0, "0 0 800 600", ""),
        (90, "0 0 600 800", "translate(600 0) rotate(90)"),
        (180, "0 0 800 600", "translate(800 600) rotate(180)"),
        (270, "0 0 600 800", "translate(0 800) rotate(270)"),
    ],
)
def test_a_picture_that_lies_on_its_side_is_shown_upright(sideways, source, turn, view, transform):
    shown = look_page(sideways.model_copy(update={"turn": turn}), source)
    assert f'viewBox="{view}"' in shown
    assert f'<g transform="{transform}">' in shown


def test_without_pixels_there_is_nothing_to_look_at(bare):
    with pytest.raises(TextRecognizerError):
        look_page(bare, PictureSource("scan.png"))
