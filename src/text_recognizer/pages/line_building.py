"""Join pieces of text to lines."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from text_recognizer.core.geometry import Box, Point
from text_recognizer.pages.column_starts import MIN_GUTTER, column_starts
from text_recognizer.pages.text_detection import TextBox

MAX_GAP = 2.5  # heights between two pieces of one line
MAX_OVERLAP = 1.0  # heights by which two pieces of one line may overlap
MAX_OFFSET = 0.45  # heights by which the axis of the next piece may lie above or below
MAX_TURN = 20  # degrees between two pieces of one line
MAX_RATIO = 2.2  # between the heights of two pieces of one line
SAMPLES = 9  # points along each piece
BASELINE = 0.35  # from the axis (0) to the bottom edge (1)


@dataclass(frozen=True)
class TextLine:
    """A line of text: its pieces from its beginning to its end, in pixels of the upright picture."""

    pieces: tuple[TextBox, ...]

    @property
    def height(self) -> float:
        """The height of the line: the mean over its pieces, weighted by their widths."""
        return float(np.average([box.height for box in self.pieces], weights=[box.width for box in self.pieces]))

    @property
    def score(self) -> float:
        """How certain the detector is that this is text, 0 to 1."""
        return float(np.average([box.score for box in self.pieces], weights=[box.width for box in self.pieces]))

    def along(self, across: float) -> np.ndarray:
        """Return points (N, 2) along the line; `across` is -1 on its upper edge, 0 on its axis, 1 on its lower edge."""
        places = np.linspace(-1, 1, SAMPLES)
        return np.concatenate([box.point(places, np.full(SAMPLES, across)) for box in self.pieces])

    def polygon(self) -> tuple[Point, ...]:
        """Return the outline, clockwise from the top left."""
        return _points(np.concatenate([self.along(-1.0), self.along(1.0)[::-1]]))

    def baseline(self) -> tuple[Point, ...]:
        """Return the baseline from the beginning to the end."""
        return _points(self.along(BASELINE))

    def box(self) -> Box:
        """Return the upright box around the outline."""
        return box_around(np.concatenate([self.along(-1.0), self.along(1.0)]))


def box_around(points: np.ndarray) -> Box:
    """Return the smallest upright box of whole pixels around points (N, 2)."""
    (left, top), (right, bottom) = np.floor(points.min(axis=0)), np.ceil(points.max(axis=0))
    return Box(int(left), int(top), int(right - left), int(bottom - top))


def _points(values: np.ndarray) -> tuple[Point, ...]:
    return tuple(Point(round(float(x)), round(float(y))) for x, y in values)


def join_lines(boxes: Sequence[TextBox]) -> list[TextLine]:
    """Join pieces of text to lines, each from left to right. The lines are in no particular order.

    A piece is joined to the nearest one that ends before it at the same height, if no other piece claims that one. The
    first piece of a line of a column is not joined across the gap before the column.
    """
    starts = column_starts(boxes)
    links = sorted(
        (gap, before, after)
        for before, after in _near(boxes)
        if before != after and (gap := _gap(boxes[before], boxes[after])) is not None
        if after not in starts or gap < MIN_GUTTER
    )
    following: dict[int, int] = {}
    preceding: dict[int, int] = {}
    for _, before, after in links:
        if before not in following and after not in preceding and _first(preceding, before) != after:
            following[before], preceding[after] = after, before
    lines = []
    for start in set(range(len(boxes))) - set(preceding):
        chain = [start]
        while chain[-1] in following:
            chain.append(following[chain[-1]])
        lines.append(TextLine(tuple(boxes[index] for index in chain)))
    return lines


def _near(boxes: Sequence[TextBox]) -> list[list[int]]:
    """Return the pairs of pieces, (before, after), of which one ends where the other may begin.

    A page may have hundreds of pieces, and `_gap` is too slow for all pairs.
    """
    if not boxes:
        return []
    ends, starts = (
        np.concatenate([box.point(side, np.zeros(1)) for box in boxes]) for side in (np.ones(1), -np.ones(1))
    )
    heights = np.array([box.height for box in boxes])
    reach = np.hypot(MAX_GAP, MAX_OFFSET) * (heights[:, None] + heights) / 2
    near: list[list[int]] = np.argwhere(np.linalg.norm(starts - ends[:, None], axis=2) <= reach * (1 + 1e-9)).tolist()
    return near


def _first(preceding: dict[int, int], index: int) -> int:
    """Return the first piece of the chain that `index` belongs to."""
    while index in preceding:
        index = preceding[index]
    return index


def _gap(first: TextBox, second: TextBox) -> float | None:
    """Return the gap from the end of one piece to the start of the next, in heights; None if they are not one line."""
    height = (first.height + second.height) / 2
    if abs(first.degrees - second.degrees) > MAX_TURN and min(first.width, second.width) > 2 * height:
        return None
    if max(first.height, second.height) > MAX_RATIO * min(first.height, second.height):
        return None
    degrees = first.degrees if first.width > second.width else second.degrees
    (end,), (start,) = first.point(np.ones(1), np.zeros(1)), second.point(-np.ones(1), np.zeros(1))
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    right, down = (start - end) @ np.array([[cosine, -sine], [sine, cosine]]) / height
    if abs(down) > MAX_OFFSET or not -MAX_OVERLAP <= right <= MAX_GAP:
        return None
    return float(abs(right) + abs(down))
