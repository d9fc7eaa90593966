"""Rotate a page."""

import numpy as np
from PIL import Image

from text_recognizer.pages.normalisation import PAPER


def rotate(grey: np.ndarray, degrees: float) -> np.ndarray:
    """Rotate uint8 (H, W) counter-clockwise, on white paper that is enlarged to hold the whole picture."""
    picture = Image.fromarray(grey).rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=PAPER)
    return np.asarray(picture)
