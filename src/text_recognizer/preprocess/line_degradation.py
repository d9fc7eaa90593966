"""Degrade strips as pens, cameras and files do: thick or thin strokes, low resolution, blur, JPEG, uneven paper.

A strip is uint8 (H, W), dark ink on white paper. The shares and ranges were chosen by looking at degraded strips beside
strips of phone photos; they were not optimised.
"""

from collections.abc import Callable

import cv2
import numpy as np

from text_recognizer.pages.normalisation import PAPER

Strip = np.ndarray
Degradation = Callable[[Strip, np.random.Generator], Strip]
THRESHOLDED = 0.6  # share of the thick strokes that get hard edges and one tone, as on a tablet


def degrade(strip: Strip, rng: np.random.Generator) -> Strip:
    """Apply each degradation with its probability, in the order in which they happen to a page."""
    for probability, apply in DEGRADATIONS:
        if rng.random() < probability:
            strip = apply(strip, rng)
    return strip


def thicken(strip: Strip, rng: np.random.Generator) -> Strip:
    """Thicken the strokes by 2 to 5 pixels."""
    side = int(rng.integers(3, 7))
    thick = cv2.erode(strip, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
    if rng.random() < THRESHOLDED:
        ink = thick < rng.integers(140, 220)
        thick = cv2.GaussianBlur(np.where(ink, rng.integers(0, 60), PAPER).astype(np.uint8), (3, 3), 0)
    return np.asarray(thick)


def thin(strip: Strip, _: np.random.Generator) -> Strip:
    """Thin the strokes by 1 pixel."""
    return np.asarray(cv2.dilate(strip, np.ones((2, 2), np.uint8)))


def lower_resolution(strip: Strip, rng: np.random.Generator) -> Strip:
    """Shrink the strip to 0.3 to 0.8 of its size, and enlarge it again."""
    height, width = strip.shape
    factor = rng.uniform(0.3, 0.8)
    size = max(8, int(width * factor)), max(8, int(height * factor))
    small = cv2.resize(strip, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR))


def blur(strip: Strip, rng: np.random.Generator) -> Strip:
    """Blur by a Gaussian of 0.6 to 1.8 pixels."""
    return np.asarray(cv2.GaussianBlur(strip, (0, 0), rng.uniform(0.6, 1.8)))


def compress(strip: Strip, rng: np.random.Generator) -> Strip:
    """Compress as a JPEG of quality 12 to 49."""
    encoded = cv2.imencode(".jpg", strip, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(12, 50))])[1]
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE))


def stain(strip: Strip, rng: np.random.Generator) -> Strip:
    """Darken the paper unevenly, by a smooth random field."""
    height, width = strip.shape
    knots = rng.normal(0, 1, (4, max(3, width // 60))).astype(np.float32)
    field = np.abs(cv2.resize(knots, (width, height), interpolation=cv2.INTER_CUBIC)) * rng.uniform(2, 14)
    darkened: Strip = np.clip(strip - field, 0, PAPER).astype(np.uint8)
    return darkened


def stretch(strip: Strip, rng: np.random.Generator) -> Strip:
    """Stretch the height of the text to 0.75 to 1.2, and shift it up or down: the height of a found line is a guess."""
    height, width = strip.shape
    factor = rng.uniform(0.75, 1.2)
    matrix = np.array([[1, 0, 0], [0, factor, height / 2 * (1 - factor) + rng.normal(0, 3)]])
    return np.asarray(cv2.warpAffine(strip, matrix, (width, height), borderValue=PAPER))


DEGRADATIONS: tuple[tuple[float, Degradation], ...] = (
    (0.14, thicken),
    (0.05, thin),
    (0.2, lower_resolution),
    (0.08, blur),
    (0.12, compress),
    (0.2, stain),
    (0.15, stretch),
)
