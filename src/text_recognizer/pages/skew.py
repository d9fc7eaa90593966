"""Estimate the skew of a page's lines, and rotate the page so that they are horizontal."""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from text_recognizer.core.geometry import Box
from text_recognizer.pages.normalisation import PAPER

MAX_SKEW = 8.0  # degrees; larger skews are not searched for
MIN_SKEW = 0.75  # degrees; smaller skews are left, because the reader was trained with them
# The projection profile must be sharper by this factor. With less, a single word may pass for a skewed line.
MIN_SHARPNESS_GAIN = 1.15
SAMPLED_SIDE = 600  # pixels along the longer side that are sampled


@dataclass(frozen=True)
class DeskewedPage:
    """A page whose lines are horizontal.

    `grey`, uint8 (H', W'), is the original page of `size` (H, W), rotated counter-clockwise by `degrees`.
    """

    grey: np.ndarray
    degrees: float
    size: tuple[int, int]

    def to_picture(self, box: Box) -> Box:
        """Return the upright box, in pixels of the original page, around a box of the deskewed page."""
        if not self.degrees:
            return box
        centre = np.array([self.grey.shape[1], self.grey.shape[0]]) / 2
        edges = [(x, y) for y in (box.y, box.bottom) for x in (box.x, box.right)]
        sine, cosine = np.sin(np.radians(self.degrees)), np.cos(np.radians(self.degrees))
        corners = (np.array(edges) - centre) @ np.array([(cosine, sine), (-sine, cosine)])
        corners = corners + np.array(self.size[::-1]) / 2
        (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
        return Box(round(left), round(top), round(right - left), round(bottom - top))


def deskew(page: np.ndarray) -> DeskewedPage:
    """Rotate a normalised page, uint8 (H, W), so that its lines are horizontal.

    If no skew is found with certainty, the result holds the page itself, rotated by 0 degrees.
    """
    degrees = estimate_skew(page)
    size = page.shape[0], page.shape[1]
    if not degrees:
        return DeskewedPage(page, 0.0, size)
    return DeskewedPage(rotate(page, -degrees), -degrees, size)


def rotate(grey: np.ndarray, degrees: float) -> np.ndarray:
    """Rotate uint8 (H, W) counter-clockwise, on white paper that is enlarged to hold the whole picture."""
    picture = Image.fromarray(grey).rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=PAPER)
    return np.asarray(picture)


def estimate_skew(page: np.ndarray) -> float:
    """Return the angle, in degrees, by which the lines of a normalised page rise to the right; 0 if it is uncertain.

    The resolution is a quarter of a degree. The angle is the one whose projection profile is the sharpest, that is,
    along which the ink falls into the fewest and fullest rows (Postl 1986).
    """
    step = max(1, max(page.shape) // SAMPLED_SIDE)
    rows, columns = np.nonzero(page[::step, ::step] < PAPER // 2)

    def sharpness(degrees: float) -> float:
        levels = rows + columns * np.tan(np.radians(degrees))
        counts = np.bincount(((levels - levels.min()) / 2).astype(int))
        return float(np.square(counts, dtype=np.float64).sum())

    if not len(rows):
        return 0.0
    best = max(np.arange(-MAX_SKEW, MAX_SKEW + 0.5, 0.5), key=sharpness)
    best = max((best - 0.25, best, best + 0.25), key=sharpness)
    certain = abs(best) >= MIN_SKEW and sharpness(best) >= MIN_SHARPNESS_GAIN * sharpness(0)
    return float(best) if certain else 0.0
