"""Place a page on the canvas of fixed size that a model reads."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from text_recognizer.pages.normalisation import PAPER


@dataclass(frozen=True)
class CanvasPlacement:
    """A picture on a canvas. `canvas` is uint8 (H, W), dark ink on white paper.

    A pixel `(x, y)` of the picture lies at `((x - left) * scale, (y - top) * scale)` on the canvas.
    """

    canvas: np.ndarray
    scale: float
    left: int
    top: int


def place_on_canvas(
    grey: np.ndarray, shape: tuple[int, int], scale: float, left: int = 0, top: int = 0
) -> CanvasPlacement:
    """Scale a normalised picture, uint8 (h, w), and place it at the top left of a white canvas of `shape` (H, W).

    The scale is reduced if the picture would not fit. `left` and `top` say where `grey` was cropped from a larger
    picture, so that boxes can be converted to its pixels.
    """
    height, width = grey.shape
    scale = min(scale, shape[0] / height, shape[1] / width)
    size = max(1, min(shape[1], round(width * scale))), max(1, min(shape[0], round(height * scale)))
    scaled = Image.fromarray(grey).resize(size, Image.Resampling.BOX if scale < 0.5 else Image.Resampling.BILINEAR)
    canvas = np.full(shape, PAPER, dtype=np.uint8)
    canvas[: size[1], : size[0]] = np.asarray(scaled)
    return CanvasPlacement(canvas, scale, left, top)
