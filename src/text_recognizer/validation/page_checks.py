"""Measure the picture of a form, to compare it with the XML: rows of writing, ink in the lines, a perceptual hash.

Everything is measured on the text region at DPI, whatever the resolution of the picture. Every figure below was found
on 603 forms of IAM (5,319 lines, 150 dpi) and on 2,180 synthetic forms (4,344 lines).
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from text_recognizer.core.geometry import Box
from text_recognizer.corpora.iam import SCAN_DPI, Form

DPI = 75
# Pale pencil at 150 dpi has this grey level (of 255). 2 to 19 % of the pixels of IAM's text regions are darker.
DARK = 160
# Inches: the smoothing that turns the ink of a row into one peak, and the least distance between the peaks of two rows.
SMOOTHING, MIN_PEAK_DISTANCE = 0.08, 0.29
# A peak lower than this share of the high ones is a stray mark. With it, the rows of 596 of the 603 forms and of all
# 2,180 are counted correctly, and no count is off by more than one.
MIN_PEAK = 0.2
# A row belongs to a line if it lies in the line's box or within this distance of it, in px of the scan.
BOX_TOLERANCE = 8
HASH = 24  # cells along each side of the perceptual hash
# A cell counts as lighter than its neighbour only if the difference is above that of paper grain.
GRAIN = 3
# Two pictures show the same page if their hashes differ by at most this: the share of edges that only one of the two
# has. No two pages of IAM are nearer than 0.66, no two synthetic ones than 0.46. A page that was saved, scaled or
# lighted again is within 0.35 of itself, and one rotated by half a degree within 0.34.
MAX_HASH_DISTANCE = 0.4


@dataclass(frozen=True)
class Writing:
    """What a text region contains. `rows` are the y of its rows of ink, in px of the scan from the top of the page.

    `lines` is the dark share of each line's box. `edges` is the perceptual hash, uint8 (HASH * HASH / 8,).
    """

    rows: tuple[int, ...]
    lines: tuple[float, ...]
    edges: np.ndarray


def examine(form: Form, page: np.ndarray) -> Writing | None:
    """Measure a page, uint8 grey (H, W). Return None if a line has no box or the text region is not on the page."""
    region = form.box
    if region is None or not all(line.box for line in form.lines):
        return None
    ratio = page.shape[1] / form.width
    small = _scale_region(crop_box(page, region, ratio), DPI / (SCAN_DPI * ratio))
    if small is None:
        return None
    step = SCAN_DPI / DPI
    rows = tuple(round(region.y + (row + 0.5) * step) for row in ink_rows(small < DARK))
    lines = tuple(_share(small, line.box, region, step) for line in form.lines if line.box)
    return Writing(rows, lines, edges(small))


def crop_box(page: np.ndarray, box: Box, ratio: float) -> np.ndarray:
    """Return the part of a page inside a box. `ratio` is the page's pixels per pixel of the scan."""
    left, top, right, bottom = (max(0, round(edge * ratio)) for edge in (box.x, box.y, box.right, box.bottom))
    return page[top:bottom, left:right]


def ink_rows(dark: np.ndarray) -> list[int]:
    """Return the rows of ink, in px from the top: the peaks of the number of dark pixels in each row of (h, w) at DPI.

    The square root lets a line of a single word count beside full lines.
    """
    profile = _smooth(np.sqrt(dark.sum(axis=1, dtype=np.float64)), SMOOTHING * DPI)
    padded = np.pad(profile, 1)
    peak = (
        (profile >= padded[:-2])
        & (profile > padded[2:])
        & (profile >= MIN_PEAK * np.percentile(profile, 90))
        & (profile > 0)
    )
    chosen: list[int] = []
    for row in sorted(np.flatnonzero(peak), key=lambda row: -profile[row]):
        if all(abs(row - other) >= MIN_PEAK_DISTANCE * DPI for other in chosen):
            chosen.append(int(row))
    return sorted(chosen)


def rows_outside_boxes(rows: tuple[int, ...], form: Form) -> list[int]:
    """Return the rows of ink that lie in no line's box."""
    boxes = [line.box for line in form.lines if line.box]
    return [row for row in rows if not any(box.y - BOX_TOLERANCE <= row <= box.bottom + BOX_TOLERANCE for box in boxes)]


def edges(grey: np.ndarray) -> np.ndarray:
    """Return the difference hash (Krawetz, "Kind of like that", 2013) of HASH x HASH cells, packed into uint8."""
    cells = Image.fromarray(grey).resize((HASH + 1, HASH), Image.Resampling.BOX)
    values = np.asarray(cells).astype(np.int16)
    return np.packbits(values[:, 1:] > values[:, :-1] + GRAIN)


def nearest(hashes: np.ndarray, others: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Return for each hash (N, bytes) the index of the nearest of `others` and its Jaccard distance, 0 to 1.

    Without `others`, each hash is compared with all other hashes.
    """
    targets = hashes if others is None else others
    index, distance = np.zeros(len(hashes), dtype=np.int64), np.full(len(hashes), 2.0)
    if not len(targets):
        return index, distance
    for row, mine in enumerate(hashes):
        common = np.bitwise_count(mine & targets).sum(axis=1, dtype=np.int64)
        either = np.bitwise_count(mine | targets).sum(axis=1, dtype=np.int64)
        far = 1 - common / np.maximum(either, 1)
        if others is None:
            far[row] = 2.0
        index[row] = far.argmin()
        distance[row] = far[index[row]]
    return index, distance


def _scale_region(region: np.ndarray, scale: float) -> np.ndarray | None:
    if not region.size:
        return None
    size = max(1, round(region.shape[1] * scale)), max(1, round(region.shape[0] * scale))
    return np.asarray(Image.fromarray(region).resize(size, Image.Resampling.BOX if scale < 1 else None))


def _share(small: np.ndarray, box: Box, region: Box, step: float) -> float:
    left, top = int((box.x - region.x) / step), int((box.y - region.y) / step)
    right, bottom = int(np.ceil((box.right - region.x) / step)), int(np.ceil((box.bottom - region.y) / step))
    part = small[top:bottom, left:right]
    return round(float((part < DARK).mean()), 4) if part.size else 0.0


def _smooth(values: np.ndarray, sigma: float) -> np.ndarray:
    reach = int(3 * sigma) + 1
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    return np.convolve(np.pad(values, reach), kernel / kernel.sum(), "valid")
