"""Two figures that describe the writing on a page: the share of ink, and the slant of the strokes."""

from collections.abc import Sequence

import numpy as np

from text_recognizer.core.geometry import Box
from text_recognizer.pages.normalisation import PAPER

ANGLES = tuple(range(-45, 46, 5))


def ink_share(canvas: np.ndarray) -> float:
    """Return the share of dark pixels in the box around them, for a canvas uint8 (H, W); 0 on a blank page."""
    dark = canvas < PAPER // 2
    rows, columns = np.flatnonzero(dark.any(axis=1)), np.flatnonzero(dark.any(axis=0))
    return float(dark[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].mean()) if len(rows) else 0.0


def slant(canvas: np.ndarray, boxes: Sequence[Box] = ()) -> float | None:
    """Return by how many degrees the strokes lean to the right, in steps of 5; None on a blank page.

    `boxes` of the lines are in pixels of the canvas, uint8 (H, W); without them the page counts as
    one line. Returns the shear after which the dark pixels of the lines stand in the sharpest columns (Vinciarelli and
    Luettin 2001, "A new normalization technique for cursive handwritten words").
    """
    areas = boxes or (Box(0, 0, canvas.shape[1], canvas.shape[0]),)
    dark = canvas < PAPER // 2
    lines = [np.nonzero(dark[max(box.y, 0) : box.bottom, max(box.x, 0) : box.right]) for box in areas]
    lines = [line for line in lines if len(line[0])]
    if not lines:
        return None
    sharpness = {
        angle: sum(_sharpness(columns + rows * np.tan(np.radians(angle))) for rows, columns in lines)
        for angle in ANGLES
    }
    return float(max(ANGLES, key=lambda angle: (sharpness[angle], -abs(angle))))


def _sharpness(positions: np.ndarray) -> float:
    counts = np.bincount(np.round(positions - positions.min()).astype(int))
    return float((counts.astype(np.float64) ** 2).sum())
