"""The record of a page whose text is known, whatever format it came from."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from text_recognizer.core.charset import NEWLINE, join_lines
from text_recognizer.core.errors import DataError
from text_recognizer.core.geometry import Box, Point, box_of_points
from text_recognizer.pages.opening import open_pages, open_picture

MAX_STRETCH = 0.02  # by which the scales along both sides may differ, if a picture has another size than its labels
MAX_EXCESS = 0.02  # of a side, by which a point may lie outside the picture; it is moved to the edge
# Kinds of lines and regions, as archives label them, that hold no handwriting.
NO_WRITING = ("stamp", "print", "typewritten", "typed", "barcode", "graphic", "digitization", "artefact")
SAME_SIZE = "export the picture and its labels together, or correct the size in the labels"


@dataclass(frozen=True)
class LabelledLine:
    """A line of a transcribed page: its text as the archive has it, which may be empty, and where it lies.

    Points are in pixels of the size that the labels name. `region` is the number of the region, from 0 in reading
    order. `kinds` are the labels of the line and of its region, such as `heading` or `DefaultLine:Typewritten`.
    """

    text: str
    id: str = ""
    baseline: tuple[Point, ...] = ()
    polygon: tuple[Point, ...] = ()
    region: int = 0
    kinds: tuple[str, ...] = ()

    @property
    def box(self) -> Box | None:
        """The box around the polygon, else around the baseline; None if there is neither."""
        return box_of_points(self.polygon or self.baseline)

    @property
    def is_writing(self) -> bool:
        """Whether no label says that the line is printed, typed or stamped."""
        return not any(word in kind.lower() for kind in self.kinds for word in NO_WRITING)


def labelled_lines(text: str) -> tuple[LabelledLine, ...]:
    """Return the lines of a text that are not empty, with white space collapsed."""
    return tuple(LabelledLine(joined) for line in text.split(NEWLINE) if (joined := join_lines(line)))


@dataclass(frozen=True)
class PagePicture:
    """The picture of a page. It is read when it is opened; `label` names it in messages, `name` is its file's name."""

    name: str
    label: str
    read: Callable[[], bytes] = field(repr=False)

    def open(self) -> np.ndarray:
        """Return the pixels, uint8 RGB (H, W, 3). Raises DataError if the picture is missing or damaged."""
        return next(open_pages(self.read(), self.label)).rgb

    def open_grey(self) -> np.ndarray:
        """Return the pixels, uint8 grey (H, W). Raises DataError if the picture is missing or damaged."""
        return open_picture(self.read(), self.label)


@dataclass(frozen=True)
class TranscribedPage:
    """A page whose text is known.

    `group` is the writer or the document, else the page's own id: pages of one group belong to one part of a split.
    `size` is the width and height that the labels name, in their unit; None if they name none. Without line breaks, one
    line holds all of the text. `shows_one_line` says that the picture is cut out of a page. `faults` are lines or
    values that were left out, one sentence each.
    """

    id: str
    group: str
    picture: PagePicture
    lines: tuple[LabelledLine, ...]
    size: tuple[int, int] | None = None
    has_line_breaks: bool = True
    shows_one_line: bool = False
    faults: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The texts of the lines that are not empty, joined by newlines."""
        return "\n".join(line.text for line in self.lines if line.text)

    def open(self) -> tuple[np.ndarray, "TranscribedPage"]:
        """Return the pixels, uint8 RGB (H, W, 3), and the page with its points in these pixels: see `fitted`."""
        rgb = self.picture.open()
        return rgb, self.fitted(rgb.shape[1], rgb.shape[0])

    def fitted(self, width: int, height: int) -> "TranscribedPage":
        """Return the page with its points scaled to a picture of this size.

        A baseline or a polygon outside the picture, and a polygon away from its baseline, is left out and named in
        `faults`. Raises DataError if the labels name a size of other proportions.
        """
        scales = self._scales(width, height)
        faults, lines = list(self.faults), []
        for line in self.lines:
            name = line.id or line.text[:30]
            places = {"baseline": _scaled(line.baseline, scales), "polygon": _scaled(line.polygon, scales)}
            for kind, points in places.items():
                if _outside(points, width, height):
                    faults.append(f"the {kind} of line {name} lies outside the picture of {width} x {height} px")
                    places[kind] = ()
            if _apart(places["baseline"], places["polygon"]):
                faults.append(f"the polygon of line {name} lies away from its baseline")
                places["polygon"] = ()
            baseline, polygon = (_clipped(points, width, height) for points in places.values())
            lines.append(replace(line, baseline=baseline, polygon=polygon))
        return replace(self, size=(width, height), lines=tuple(lines), faults=tuple(faults))

    def _scales(self, width: int, height: int) -> tuple[float, float]:
        if self.size is None:
            return 1.0, 1.0
        across, down = width / self.size[0], height / self.size[1]
        if abs(across / down - 1) > MAX_STRETCH:
            named = "{} x {}".format(*self.size)
            raise DataError(f"{self.picture.label} has {width} x {height} px, but its labels name {named}", SAME_SIZE)
        return across, down


def _scaled(points: Iterable[Point], scales: tuple[float, float]) -> tuple[Point, ...]:
    return tuple(Point(round(x * scales[0]), round(y * scales[1])) for x, y in points)


def _outside(points: Iterable[Point], width: int, height: int) -> bool:
    """Return whether a point lies far outside a picture. Exports often overstep its edges by a few pixels."""
    more_x, more_y = MAX_EXCESS * width, MAX_EXCESS * height
    return any(not (-more_x <= x <= width + more_x and -more_y <= y <= height + more_y) for x, y in points)


def _apart(baseline: Iterable[Point], polygon: Iterable[Point]) -> bool:
    """Return whether a polygon lies beside or above or below its baseline, by more than its own height."""
    around, along = box_of_points(polygon), box_of_points(baseline)
    if around is None or along is None:
        return False
    beside = along.x > around.right + around.height or along.right < around.x - around.height
    return beside or along.y > around.bottom + around.height or along.bottom < around.y - around.height


def _clipped(points: Iterable[Point], width: int, height: int) -> tuple[Point, ...]:
    return tuple(Point(min(max(x, 0), width), min(max(y, 0), height)) for x, y in points)
