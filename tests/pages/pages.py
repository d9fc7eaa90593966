"""Pages that several tests share."""

import numpy as np

GREY = np.tile(np.arange(60, dtype=np.uint8) * 4, (40, 1))


def bar_page(ink: int = 30, paper: int = 240) -> np.ndarray:
    """Return paper with a bar of ink in rows 20 to 30 and columns 40 to 90."""
    page = np.full((60, 120), paper, dtype=np.uint8)
    page[20:30, 40:90] = ink
    return page
