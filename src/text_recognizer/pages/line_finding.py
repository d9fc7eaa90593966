"""From a picture to its lines: detect text, turn the picture upright, join and order the lines, rectify them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import cv2
import numpy as np

from text_recognizer.core.geometry import Box, Point
from text_recognizer.pages.line_building import join_lines
from text_recognizer.pages.reading_order import OrderedLines, order_lines
from text_recognizer.pages.strips import LineStrip, rectify
from text_recognizer.pages.text_detection import DETECTOR_FILE, TextBox, TextDetector

ASSETS = Path(__file__).resolve().parent / "assets"
STEEP = 45  # degrees; steeper text is taken to run along the picture's height


@dataclass(frozen=True)
class Upright:
    """How to turn a picture of `size` (H, W) upright: `quarters` turns of 90 degrees clockwise."""

    quarters: int
    size: tuple[int, int]

    @property
    def degrees(self) -> int:
        """The turn in degrees clockwise: 0, 90, 180 or 270."""
        return 90 * self.quarters

    def apply(self, picture: np.ndarray) -> np.ndarray:
        """Return the upright picture."""
        return np.ascontiguousarray(np.rot90(picture, -self.quarters)) if self.quarters else picture

    def point(self, point: Point) -> Point:
        """Convert a point of the upright picture to one of the original picture."""
        height, width = self.size
        x, y = point
        turned = ((x, y), (y, height - x), (width - x, height - y), (width - y, x))
        return Point(*turned[self.quarters])

    def points_of(self, points: Sequence[Point]) -> np.ndarray:
        """Convert points of the original picture to points (N, 2) of the upright picture: the inverse of `point`."""
        height, width = self.size
        x, y = np.array(points, dtype=float).reshape(-1, 2).T
        turned = ((x, y), (height - y, x), (width - x, height - y), (y, width - x))
        return np.stack(turned[self.quarters], axis=1)

    def box(self, box: Box) -> Box:
        """Convert a box of the upright picture to one of the original picture, clipped to its edges."""
        corners = [self.point(Point(box.x, box.y)), self.point(Point(box.right, box.bottom))]
        height, width = self.size
        left, right = sorted(min(max(corner.x, 0), width) for corner in corners)
        top, bottom = sorted(min(max(corner.y, 0), height) for corner in corners)
        return Box(left, top, right - left, bottom - top)


@dataclass(frozen=True)
class FoundLines:
    """The lines of an upright picture, `rgb` uint8 (H, W, 3), in reading order."""

    rgb: np.ndarray
    upright: Upright
    ordered: OrderedLines

    @cached_property
    def strips(self) -> list[LineStrip]:
        """The rectified lines."""
        return rectify(cv2.cvtColor(self.rgb, cv2.COLOR_RGB2GRAY), self.ordered.lines)


class LineFinder:
    """Find the lines of writing and print in pictures."""

    def __init__(self, detector: TextDetector) -> None:
        self._detector = detector

    @classmethod
    def load(cls, threads: int = 0) -> "LineFinder":
        """Load the detector that comes with the package. `threads` limits the CPU threads; 0 sets no limit."""
        return cls(TextDetector.load(ASSETS / DETECTOR_FILE, threads))

    def find(self, rgb: np.ndarray, quarters: int = 0) -> FoundLines:
        """Find the lines of a picture, uint8 (H, W, 3), after `quarters` turns clockwise.

        If most of the text runs up or down, the picture is turned once more, so that it runs along the width. Text that
        is upside down is not recognised as such here; only a reader can tell.
        """
        upright = Upright(quarters % 4, (rgb.shape[0], rgb.shape[1]))
        turned = upright.apply(rgb)
        boxes = self._detector.detect(turned)
        if _runs_steeply(boxes):
            upright = Upright((quarters + 1) % 4, upright.size)
            turned = upright.apply(rgb)
            boxes = self._detector.detect(turned)
        return FoundLines(turned, upright, order_lines(join_lines(boxes)))


def _runs_steeply(boxes: list[TextBox]) -> bool:
    """Return whether most of the text, by its length, runs along the picture's height."""
    lengths = [(box.width - box.height, abs(box.degrees) > STEEP) for box in boxes]
    return sum(length if steep else -length for length, steep in lengths) > 0
