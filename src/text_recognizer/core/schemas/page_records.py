"""Records of a page that was read. All points and boxes are in pixels of the picture that was given, EXIF applied."""

from typing import Annotated, Literal

from pydantic import Field

from text_recognizer.core.geometry import Box, Point
from text_recognizer.core.schemas.record_types import Confidence, Count, Record

LineKind = Literal["written", "printed"]
Turn = Annotated[int, Field(ge=0, lt=360, multiple_of=90, description="degrees clockwise that make the page upright")]


class Word(Record):
    """A word that was read, and the confidence that all of its characters are right.

    A word that the writer `crossed_out` is read as `#`, perhaps with punctuation.
    """

    text: str
    confidence: Confidence
    box: Box
    crossed_out: bool = False


class Line(Record):
    """A line that was read. `box` is the upright box around `polygon`, as x, y, width, height.

    `baseline` runs from the line's beginning to its end. A `dubious` line has a confidence below the model's limit.
    `region` is the line's position in the page's list of regions.
    """

    text: str
    confidence: Confidence
    box: Box
    words: tuple[Word, ...] = ()
    polygon: tuple[Point, ...] = ()
    baseline: tuple[Point, ...] = ()
    kind: LineKind = "written"
    dubious: bool = False
    region: Count = 0


class Region(Record):
    """A block of lines that belong together, such as a column, a margin or a cell."""

    box: Box


class Timing(Record):
    """The seconds that one step of reading a page took."""

    step: str
    seconds: Annotated[float, Field(ge=0)]


class Page(Record):
    """A page that was read: its lines in reading order, and their texts joined by newlines.

    `sheet` holds the corners of the sheet of paper, clockwise from the top left of the upright page; None if the
    picture shows no edges of a sheet. Printed lines are in `lines` only if they were asked for.
    """

    text: str
    confidence: Confidence
    lines: tuple[Line, ...]
    width: Count = 0
    height: Count = 0
    turn: Turn = 0
    sheet: tuple[Point, Point, Point, Point] | None = None
    regions: tuple[Region, ...] = ()
    timings: tuple[Timing, ...] = ()
