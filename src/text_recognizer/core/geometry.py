"""Points and boxes, in pixels, with their origin at the top left."""

from collections.abc import Iterable
from typing import NamedTuple


class Point(NamedTuple):
    """A position in pixels: right of the left edge, and below the top edge."""

    x: int
    y: int


class Box(NamedTuple):
    """A rectangle in pixels: left edge, top edge, width, height. The owner says which picture the pixels belong to."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """The first column right of the box."""
        return self.x + self.width

    @property
    def bottom(self) -> int:
        """The first row below the box."""
        return self.y + self.height

    @property
    def corners(self) -> tuple[Point, Point, Point, Point]:
        """The corners, clockwise from the top left."""
        left, top, right, bottom = self.x, self.y, self.right, self.bottom
        return Point(left, top), Point(right, top), Point(right, bottom), Point(left, bottom)


def bounding_box(boxes: Iterable[Box]) -> Box | None:
    """Return the smallest box around all `boxes`; None for none."""
    found = list(boxes)
    if not found:
        return None
    left, top = min(box.x for box in found), min(box.y for box in found)
    return Box(left, top, max(box.right for box in found) - left, max(box.bottom for box in found) - top)


def box_of_points(points: Iterable[Point]) -> Box | None:
    """Return the smallest box around all `points`; None for none."""
    return bounding_box(Box(x, y, 0, 0) for x, y in points)
