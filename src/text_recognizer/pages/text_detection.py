"""Find the text in a picture of any size: a text detection network, and the shapes that its map shows.

The network is PP-OCRv6's detector (PaddleOCR, Apache-2.0), which predicts for each pixel the probability that it lies
in the shrunk core of a piece of text: differentiable binarisation (Liao et al. 2020).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from text_recognizer.utils.onnx_sessions import open_session

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

DETECTOR_FILE = "text_detector.onnx"
MEAN, DEVIATION = (0.406, 0.456, 0.485), (0.225, 0.224, 0.229)  # of BGR, as the network was trained
STRIDE = 32  # the sides of the network's input are multiples of it
# How closely the network looks: the pixels along the longer side of its input, and the height in pixels that the text
# must have there. If it is lower, the network looks again, more closely.
LOOKS = ((768, 24), (960, 20), (1600, 0))
MIN_PROBABILITY = 0.3  # of a pixel, to belong to a piece of text
MIN_SCORE = 0.5  # the mean probability over a piece of text
MIN_CORE = 3  # pixels; lower cores are specks
EXPANSION = 1.6  # how far the box extends beyond the core: area x EXPANSION / perimeter on each side
MAX_BENDS = 2  # the degree of the curve along which a piece of text runs
LONG = 5  # a piece of text this many times as wide as high may be curved


@dataclass(frozen=True)
class TextBox:
    """A piece of text: a rectangle with a curved axis, in pixels of the picture.

    `(x, y)` is the centre, `degrees` the direction in which the text's length runs, clockwise from the right, from -90
    to 90. The axis departs from the straight one by the polynomial `curve` (highest power first), whose argument is
    the position along the length, from -1 to 1, and whose value is in units of `height`.
    """

    x: float
    y: float
    width: float
    height: float
    degrees: float
    score: float
    curve: tuple[float, ...] = ()

    def point(self, along: np.ndarray, across: np.ndarray) -> np.ndarray:
        """Return the points (N, 2) at `along` (-1 start to 1 end) and `across` (-1 top to 1 bottom) of the box."""
        bend = np.polyval(self.curve, along) if self.curve else np.zeros_like(along)
        length, side = along * self.width / 2, across * self.height / 2 + bend * self.height
        cosine, sine = np.cos(np.radians(self.degrees)), np.sin(np.radians(self.degrees))
        return np.stack([self.x + length * cosine - side * sine, self.y + length * sine + side * cosine], axis=1)


class TextDetector:
    """A text detection network, ready to run."""

    def __init__(self, session: "InferenceSession") -> None:
        self._session = session
        self._input = session.get_inputs()[0].name

    @classmethod
    def load(cls, path: Path, threads: int = 0) -> "TextDetector":
        """Load the network from an ONNX file. `threads` limits the CPU threads; 0 leaves them to onnxruntime."""
        return cls(open_session(path, threads))

    def detect(self, rgb: np.ndarray) -> list[TextBox]:
        """Return the pieces of text in a picture, uint8 (H, W, 3), in no particular order.

        Small writing is searched again in larger copies of the picture. If the second look finds nothing either, there
        is no text.
        """
        longest, height = max(rgb.shape), 0.0
        found: list[TextBox] = []
        for look, (side, min_height) in enumerate(LOOKS):
            if 0 < height * side / longest < min_height:
                continue
            found = self._detect(rgb, side)
            height = float(np.median([box.height for box in found])) if found else 0.0
            if side >= longest or height * side / longest >= min_height or (look and not found):
                break
        return found

    def _detect(self, rgb: np.ndarray, side: int) -> list[TextBox]:
        height, width = rgb.shape[:2]
        scale = min(1.0, side / max(height, width))
        size = tuple(max(STRIDE, round(length * scale / STRIDE) * STRIDE) for length in (width, height))
        shrunk = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        (output,) = self._session.run(None, {self._input: _normalised(shrunk)[None]})
        return list(boxes_of_map(output[0, 0], (width / size[0], height / size[1])))


def _normalised(rgb: np.ndarray) -> np.ndarray:
    """Return the network's input (3, H, W), in the order BGR, of a picture uint8 RGB (H, W, 3)."""
    inputs = np.empty((3, *rgb.shape[:2]), dtype=np.float32)
    for channel, mean, deviation in zip(range(3), MEAN, DEVIATION, strict=True):
        np.multiply(rgb[:, :, 2 - channel], np.float32(1 / 255 / deviation), out=inputs[channel])
        inputs[channel] -= np.float32(mean / deviation)
    return inputs


def boxes_of_map(probabilities: np.ndarray, scale: tuple[float, float] = (1.0, 1.0)) -> Iterator[TextBox]:
    """Yield the pieces of text that a map of probabilities (h, w) shows.

    `scale` is the number of pixels of the picture per pixel of the map, across and down.
    """
    mask = (probabilities > MIN_PROBABILITY).astype(np.uint8)
    count, labels, extents, _ = cv2.connectedComponentsWithStats(mask)
    for label in range(1, count):
        left, top, width, height = extents[label, :4]
        window = slice(top, top + height), slice(left, left + width)
        inside = labels[window] == label
        score = float(probabilities[window][inside].mean())
        if score < MIN_SCORE or min(width, height) < MIN_CORE:
            continue
        rows, columns = np.nonzero(inside)
        points = np.stack([(columns + left + 0.5) * scale[0], (rows + top + 0.5) * scale[1]], axis=1)
        if box := _fit_box(points.astype(np.float32), score, MIN_CORE * min(scale)):
            yield box


def _fit_box(points: np.ndarray, score: float, min_core: float) -> TextBox | None:
    """Return the box around the core's pixels (N, 2); None if the core is too low for text."""
    (x, y), (width, height), degrees = cv2.minAreaRect(points)
    if width < height:
        width, height, degrees = height, width, degrees + 90
    if height < min_core:
        return None
    degrees = (degrees + 90) % 180 - 90
    curve: tuple[float, ...] = ()
    if width > LONG * height:
        x, y, height, curve = _fit_curve(points, (x, y), (width, height), degrees)
    margin = width * height * EXPANSION / (2 * (width + height))
    stretched = (width + 2 * margin) / width
    height += 2 * margin
    # The polynomial's argument runs from -1 to 1 over the box, which is longer than the core.
    powers = range(len(curve) - 1, -1, -1)
    curve = tuple(value * stretched**power / height for value, power in zip(curve, powers, strict=True))
    return TextBox(float(x), float(y), width + 2 * margin, float(height), float(degrees), score, curve)


def _fit_curve(
    points: np.ndarray, centre: tuple[float, float], size: tuple[float, float], degrees: float
) -> tuple[float, float, float, tuple[float, ...]]:
    """Fit a curve through the middle of a long core. Return its centre x and y, its height, and the curve in pixels."""
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    shifted = points - np.array(centre)
    along = (shifted[:, 0] * cosine + shifted[:, 1] * sine) / (size[0] / 2)
    across = shifted[:, 1] * cosine - shifted[:, 0] * sine
    bins = np.clip(((along + 1) * LONG).astype(int), 0, 2 * LONG - 1)
    present = [part for part in range(2 * LONG) if (bins == part).any()]
    middles = [(across[bins == part].min() + across[bins == part].max()) / 2 for part in present]
    heights = [np.ptp(across[bins == part]) for part in present]
    coefficients = np.polyfit([(part + 0.5) / LONG - 1 for part in present], middles, min(MAX_BENDS, len(present) - 1))
    height = min(size[1], float(np.median(heights)) + 1)
    return centre[0], centre[1], height, tuple(map(float, coefficients))
