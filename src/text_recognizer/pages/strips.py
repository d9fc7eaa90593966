"""Rectify the lines of a page: each becomes a straight strip of fixed height."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from text_recognizer.core.geometry import Box
from text_recognizer.pages.line_building import TextLine, box_around
from text_recognizer.pages.normalisation import normalise_contrast

STRIP_DPI = 150  # the resolution at which a strip is as large as a line of a form of IAM
STRIP_HEIGHT = 96  # pixels
TEXT_HEIGHT = 64  # pixels of a strip that the box of a text line covers
# Height of the box that the text detector finds, in heights of the labelled box: 1.02 on IAM, 1.17 on the sample.
FOUND_HEIGHT = 1.1
MARGIN = 24  # pixels of a strip before and after the text
MAX_LENGTH = 6000  # pixels of text along a strip; longer lines are compressed
# A line's height is uncertain, so that of the page counts half, and the line may differ from the page by this factor.
MAX_DEVIATION = 1.4


@dataclass(frozen=True)
class LineStrip:
    """A line as a straight strip: `pixels`, uint8 (H, W), dark on white. `H` is STRIP_HEIGHT at STRIP_DPI.

    `axis` (W, 2) are the points of the picture on the strip's middle row, `normal` (W, 2) the unit vectors down from
    there, and `scale` is the number of the strip's pixels per pixel of the picture.
    """

    line: TextLine
    pixels: np.ndarray
    axis: np.ndarray
    normal: np.ndarray
    scale: float

    def box(self, start: int, stop: int) -> Box:
        """Return the upright box, in pixels of the picture, around the text in columns `start` to `stop`."""
        columns = np.clip(np.array([start, stop - 1]), 0, len(self.axis) - 1)
        reach = len(self.pixels) * TEXT_HEIGHT / STRIP_HEIGHT / 2 / self.scale
        edges = [self.axis[columns] + side * reach * self.normal[columns] for side in (-1, 1)]
        return box_around(np.concatenate(edges))


def rectify(grey: np.ndarray, lines: Sequence[TextLine], dpi: int = STRIP_DPI) -> list[LineStrip]:
    """Return a strip at `dpi` of each line of a picture, uint8 grey (H, W)."""
    if not lines:
        return []
    usual = float(np.median([line.height for line in lines]))
    copies, text_height = {1: grey}, TEXT_HEIGHT * dpi / STRIP_DPI
    return [_rectify_line(copies, line, text_height / _assumed_height(line.height, usual), dpi) for line in lines]


def _assumed_height(height: float, usual: float) -> float:
    """Return the height to scale a line by. Much smaller or larger lines than usual have their own."""
    ratio = height / usual
    if not 1 / MAX_DEVIATION**2 <= ratio <= MAX_DEVIATION**2:
        return height
    bounded: float = np.clip(ratio, 1 / MAX_DEVIATION, MAX_DEVIATION)
    return float(usual * bounded**0.5)


def _rectify_line(copies: dict[int, np.ndarray], line: TextLine, scale: float, dpi: int) -> LineStrip:
    """Return the strip at `dpi` of one line; `scale` is the number of its pixels per pixel of the picture."""
    height, margin = strip_height(dpi), round(MARGIN * dpi / STRIP_DPI)
    axis, lower = line.along(0.0), line.along(1.0)
    normal = (lower - axis) / np.maximum(np.linalg.norm(lower - axis, axis=1, keepdims=True), 1e-6)
    positions = distances_along(axis)
    length = min(MAX_LENGTH, max(1, round(positions[-1] * scale)))
    columns = (np.arange(length + 2 * margin) + 0.5 - margin) * positions[-1] / length
    axis, normal = _resample(axis, positions, columns), _resample(normal, positions, columns)
    rows = (np.arange(height) + 0.5 - height / 2) / scale
    places = axis[None] + rows[:, None, None] * normal[None]
    copy = _shrunk(copies, scale)
    factor = np.array([copies[1].shape[1] / copy.shape[1], copies[1].shape[0] / copy.shape[0]])
    places = ((places + 0.5) / factor - 0.5).astype(np.float32)
    pixels = cv2.remap(copy, places[..., 0], places[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return LineStrip(line, normalise_contrast(pixels), axis, normal, scale)


def at_resolution(strip: np.ndarray, dpi: int) -> np.ndarray:
    """Return a strip, uint8 (STRIP_HEIGHT, W), at the resolution of a reader: uint8 (`strip_height(dpi)`, w)."""
    if dpi == STRIP_DPI:
        return strip
    size = max(1, round(strip.shape[1] * dpi / STRIP_DPI)), strip_height(dpi)
    return np.asarray(cv2.resize(strip, size, interpolation=cv2.INTER_AREA))


def strip_height(dpi: int) -> int:
    """Return the height in pixels of the strips of a reader at `dpi`."""
    return max(1, round(STRIP_HEIGHT * dpi / STRIP_DPI))


def distances_along(points: np.ndarray) -> np.ndarray:
    """Return the distance (N,) of each point of a polyline (N, 2) from its beginning, along the line."""
    return np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(points, axis=0), axis=1))])


def _resample(points: np.ndarray, positions: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Interpolate points (N, 2) at `wanted` positions, straight on beyond both ends."""
    inside = np.stack([np.interp(wanted, positions, points[:, axis]) for axis in (0, 1)], axis=1)
    before, after = np.minimum(wanted, 0), np.maximum(wanted - positions[-1], 0)
    inside += before[:, None] * _slope(points, positions, 0)
    inside += after[:, None] * _slope(points, positions, -2)
    return inside


def _slope(points: np.ndarray, positions: np.ndarray, index: int) -> np.ndarray:
    step = positions[index + 1] - positions[index]
    slope: np.ndarray = (points[index + 1] - points[index]) / max(step, 1e-6)
    return slope


def _shrunk(copies: dict[int, np.ndarray], scale: float) -> np.ndarray:
    """Return a copy of the picture that is at most twice as large as the strip; copies are kept for other lines."""
    factor = 1
    while scale * factor < 0.5:
        factor *= 2
    if factor not in copies:
        height, width = copies[1].shape
        size = max(1, width // factor), max(1, height // factor)
        copies[factor] = cv2.resize(copies[1], size, interpolation=cv2.INTER_AREA)
    return copies[factor]
