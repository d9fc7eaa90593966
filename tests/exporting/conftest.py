"""Pages as they may be read: with and without outlines, empty, on their side, and with awkward characters."""

from datetime import UTC, datetime

import numpy as np
import pytest

from text_recognizer.core import schemas
from text_recognizer.core.geometry import Box, Point
from text_recognizer.core.schemas.page_records import Region
from text_recognizer.exporting import PictureSource

CREATED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def make_line(text, box, **more):
    """A line whose words share its box in proportion to their characters."""
    words, left, step = [], box.x, box.width / max(len(text), 1)
    for part in text.split():
        width = round(len(part) * step)
        place = Box(round(left), box.y, width, box.height)
        words.append(schemas.Word(text=part, confidence=0.9, box=place, crossed_out=part == "#"))
        left += (len(part) + 1) * step
    return schemas.Line(text=text, confidence=0.8, box=box, words=tuple(words), **more)


def make_page(lines, **more):
    size = {"width": 800, "height": 600}
    return schemas.Page(text="\n".join(line.text for line in lines), confidence=0.85, lines=lines, **(size | more))


@pytest.fixture
def two_columns():
    """Three lines in two regions. The second line is printed, the third dubious and sloping."""
    lines = (
        make_line("To be, or not", Box(50, 100, 300, 40)),
        make_line("FORM 17", Box(50, 160, 200, 30), kind="printed"),
        make_line(
            "to be",
            Box(450, 90, 200, 60),
            polygon=(Point(450, 100), Point(650, 90), Point(650, 140), Point(450, 150)),
            baseline=(Point(450, 140), Point(550, 135), Point(650, 130)),
            dubious=True,
            region=1,
        ),
    )
    regions = (Region(box=Box(40, 90, 320, 120)), Region(box=Box(440, 80, 220, 80)))
    sheet = (Point(10, 10), Point(790, 12), Point(788, 590), Point(8, 588))
    return make_page(lines, regions=regions, sheet=sheet)


@pytest.fixture
def crossed_out():
    """A line with a crossed-out word."""
    return make_page((make_line("to # be", Box(50, 100, 300, 40)),))


@pytest.fixture
def awkward():
    """Markup, control characters, a lone surrogate, an emoji, and a line that begins left of the picture."""
    text = '<b>&amp; "q" \x00\x0b ]]> \ud800 \U0001f600 naïve 中文'
    return make_page((make_line(text, Box(-5, 20, 400, 30)),))


@pytest.fixture
def bare():
    """A page with nothing but texts and boxes: no words, outlines, regions or size."""
    line = schemas.Line(text="alone", confidence=0.5, box=Box(10, 20, 100, 30))
    return schemas.Page(text="alone", confidence=0.5, lines=(line,))


@pytest.fixture
def empty():
    return make_page(())


@pytest.fixture
def sideways():
    """A page that lies on its left side: its line runs upwards."""
    words = tuple(
        schemas.Word(text=text, confidence=0.9, box=box)
        for text, box in (("up", Box(100, 400, 40, 100)), ("wards", Box(100, 150, 40, 240)))
    )
    line = schemas.Line(
        text="up wards",
        confidence=0.9,
        box=Box(100, 150, 40, 350),
        words=words,
        baseline=(Point(130, 500), Point(130, 150)),
    )
    return make_page((line,), turn=90)


@pytest.fixture(params=["two_columns", "crossed_out", "awkward", "bare", "empty", "sideways"])
def any_page(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def source():
    pixels = np.full((600, 800, 3), 250, dtype=np.uint8)
    pixels[100:140, 50:350] = 20
    return PictureSource("scan.png", pixels, number=2, count=3, model="f" * 64, runtime="none", created=CREATED)
