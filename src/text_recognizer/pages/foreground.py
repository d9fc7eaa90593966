"""Find where a normalised page is written on."""

import numpy as np

from text_recognizer.core.geometry import Box
from text_recognizer.pages.normalisation import PAPER


def foreground_box(page: np.ndarray) -> Box | None:
    """Return the box around the writing of a normalised page, uint8 (H, W); None if the page is blank.

    A row or a column counts if it has at least two dark pixels, so that single specks do not move the edges.
    """
    dark = page < PAPER // 2
    rows, columns = (np.flatnonzero(dark.sum(axis=axis) >= 2) for axis in (1, 0))
    if not len(rows) or not len(columns):
        return None
    left, top = int(columns[0]), int(rows[0])
    return Box(left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top)
