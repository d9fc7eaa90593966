"""What a page looks like, in two numbers: how much ink there is, and how far the strokes lean."""

from collections.abc import Sequence

import numpy as np

from text_recognizer.images import PAPER

Box = tuple[int, int, int, int]
ANGLES = tuple(range(-45, 46, 5))


def ink(canvas: np.ndarray) -> float:
    """The share of dark pixels in the box around them; 0 on a blank page."""
    dark = canvas < PAPER // 2
    rows, columns = np.flatnonzero(dark.any(axis=1)), np.flatnonzero(dark.any(axis=0))
    return float(dark[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].mean()) if len(rows) else 0.0


def slant(canvas: np.ndarray, boxes: Sequence[Box] = ()) -> float | None:
    """How far the strokes lean to the right of upright, in degrees, to 5; None on a blank page.

    The shear that gathers the ink of the lines, `boxes`, into the sharpest columns stands it up (Vinciarelli and
    Luettin 2001). Without boxes the page is taken for one line.
    """
    places = boxes or ((0, 0, canvas.shape[1], canvas.shape[0]),)
    dark = canvas < PAPER // 2
    lines = [np.nonzero(dark[max(y, 0) : y + height, max(x, 0) : x + width]) for x, y, width, height in places]
    lines = [line for line in lines if len(line[0])]
    if not lines:
        return None
    sharp = {
        angle: sum(_sharpness(columns + rows * np.tan(np.radians(angle))) for rows, columns in lines)
        for angle in ANGLES
    }
    return float(max(ANGLES, key=lambda angle: (sharp[angle], -abs(angle))))


def _sharpness(positions: np.ndarray) -> float:
    counts = np.bincount(np.round(positions - positions.min()).astype(int))
    return float((counts.astype(np.float64) ** 2).sum())
