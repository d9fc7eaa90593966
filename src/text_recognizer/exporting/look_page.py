"""The page of `text-recognizer look`: an HTML file that shows what was found on a picture, and what was read."""

import base64
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from text_recognizer.core import schemas
from text_recognizer.core.errors import TextRecognizerError
from text_recognizer.core.geometry import Box, Point
from text_recognizer.exporting.page_outlines import baseline, outline, words
from text_recognizer.exporting.picture_source import PictureSource

if TYPE_CHECKING:
    from jinja2 import Template

TEMPLATE = "look_page.html.jinja"
LONG_SIDE = 1800  # pixels of the picture in the file
JPEG_QUALITY = 85
LOW_CONFIDENCE = 0.5  # words below are marked


@dataclass(frozen=True, eq=False)
class LookStep:
    """A picture, uint8 (H, W) or (H, W, 3), that the reader saw on its way, and what it shows."""

    title: str
    pixels: np.ndarray


@dataclass(frozen=True)
class ShownLine:
    """A line as it is drawn: its `number` from 1, its style, and the `points` attributes of its outlines."""

    number: int
    style: str
    outline: str
    baseline: str
    start: Point
    line: schemas.Line
    words: tuple[schemas.Word, ...]


@dataclass(frozen=True)
class ShownStep:
    """A step with its picture as a data URI."""

    title: str
    picture: str


@dataclass(frozen=True)
class Drawing:
    """The picture turned upright: its upright size, the SVG transform of its pixels, and the picture as a data URI."""

    width: int
    height: int
    transform: str
    picture: str
    size: tuple[int, int]


def look_page(page: schemas.Page, source: PictureSource, steps: Sequence[LookStep] = ()) -> str:
    """Return an HTML document that needs no other file: the picture with all outlines, the text, and the steps.

    Raises TextRecognizerError if `source` has no pixels.
    """
    if source.pixels is None:
        raise TextRecognizerError(f"{source.name}: there is no picture to look at", "give its pixels")
    return _template().render(
        page=page,
        source=source,
        drawing=_drawing(source.size(page), page.turn, source.pixels),
        sheet=_points(page.sheet) if page.sheet else "",
        regions=[region.box for region in page.regions],
        lines=[_shown_line(number, line) for number, line in enumerate(page.lines, start=1)],
        steps=[ShownStep(step.title, _data_uri(step.pixels, "PNG")) for step in steps],
        seconds=sum(timing.seconds for timing in page.timings),
        low=LOW_CONFIDENCE,
    )


def _shown_line(number: int, line: schemas.Line) -> ShownLine:
    style = "dubious" if line.dubious else line.kind
    base = baseline(line)
    return ShownLine(number, style, _points(outline(line)), _points(base), base[0], line, words(line))


def _points(points: Iterable[Point]) -> str:
    return " ".join(f"{x},{y}" for x, y in points)


def _drawing(size: tuple[int, int], turn: int, pixels: np.ndarray) -> Drawing:
    width, height = size
    moves = {0: "", 90: f"translate({height} 0) rotate(90)", 180: f"translate({width} {height}) rotate(180)",
             270: f"translate(0 {width}) rotate(270)"}  # fmt: skip
    upright = (height, width) if turn in (90, 270) else (width, height)
    return Drawing(*upright, moves[turn], _data_uri(pixels, "JPEG"), size)


def _data_uri(pixels: np.ndarray, kind: str) -> str:
    picture = Image.fromarray(pixels)
    picture.thumbnail((LONG_SIDE, LONG_SIDE))
    stream = io.BytesIO()
    picture.save(stream, kind, quality=JPEG_QUALITY, optimize=True)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(stream.getvalue()).decode()}"


def _template() -> "Template":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number_size": _number_size}
    return environment.get_template(TEMPLATE)


def _number_size(box: Box) -> int:
    """Return the font size of a line's number, in pixels of the picture."""
    return max(10, round(0.5 * min(box.width, box.height)))
