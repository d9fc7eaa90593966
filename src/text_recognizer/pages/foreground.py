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


def central_rows(page: np.ndarray) -> slice:
    """Return the central third of a normalised page's rows, or a fifth of its width in rows if that is more.

    On most pages that is two or three lines. Each edge is moved to the palest row nearby, so that it cuts few lines.
    If the page is lower than that, all of its rows are returned.
    """
    height, width = page.shape
    wanted = max(height // 3, width // 5, 1)
    if wanted >= height:
        return slice(0, height)
    darkness: np.ndarray = (PAPER - page.astype(np.int64)).sum(axis=1)
    top, slack = (height - wanted) // 2, wanted // 6

    def palest_near(row: int) -> int:
        first: int = max(0, row - slack)
        return first + int(darkness[first : row + slack + 1].argmin())

    return slice(palest_near(top), palest_near(top + wanted))
