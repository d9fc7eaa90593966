"""What the picture of a form says by itself, to be held against what its XML says of it.

Everything is measured on the text region at DPI, whatever the picture's own resolution. Every figure named below was
found on 603 forms of IAM (5,319 lines, 150 dpi) and on 2,180 forms of the built-in sample (4,344 lines).
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from text_recognizer.data.iam import SCAN_DPI, Box, Form

DPI = 75
# Pale pencil at 150 dpi is this dark (of 255). Of IAM's text regions, 2 to 19 % are darker.
DARK = 160
# Writing in one row is smoothed to one hill by this; the summits of two rows lie at least so far apart. In inches.
SMOOTH, APART = 0.08, 0.29
# A hill lower than this share of the high ones is a stray mark. With it, the rows of 596 of the 603 forms and of all
# 2,180 are counted right, and none is off by more than one.
LOW = 0.2
# A row belongs to a line whose box it lies in, or this near to: px of the scan.
NEAR = 8
HASH = 24
# One cell is darker than its neighbour where it is so by more than paper grain.
GRAIN = 3
# Of the cells' edges that either of two pictures has, the share that they do not have in common. Of IAM's pages no two
# are nearer than 0.66, of the sample's 0.46; a page saved, scaled or lit anew is within 0.35 of itself, and turned by
# half a degree within 0.34. The hash stays the same where a page is repeated, and says nothing of who wrote it.
ALIKE = 0.4


@dataclass(frozen=True)
class Writing:
    """What the text region holds. `rows` are heights of ink rows and `lines` the dark share of each line's box.

    Heights are in px of the scan from its top edge. `edges` is the page's perceptual hash: uint8 (HASH * HASH / 8,).
    """

    rows: tuple[int, ...]
    lines: tuple[float, ...]
    edges: np.ndarray


def examine(form: Form, page: np.ndarray) -> Writing | None:
    """`page` is uint8 grey (H, W); None where a line has no box or the text region does not lie on the page."""
    region = form.box
    if region is None or not all(line.box for line in form.lines):
        return None
    ratio = page.shape[1] / form.width
    small = _shrunk(cut(page, region, ratio), DPI / (SCAN_DPI * ratio))
    if small is None:
        return None
    step = SCAN_DPI / DPI
    rows = tuple(round(region.y + (row + 0.5) * step) for row in ink_rows(small < DARK))
    lines = tuple(_share(small, line.box, region, step) for line in form.lines if line.box)
    return Writing(rows, lines, edges(small))


def cut(page: np.ndarray, box: Box, ratio: float) -> np.ndarray:
    """The part of a page inside a box; `ratio` is the page's pixels per pixel of the scan."""
    left, top, right, bottom = (max(0, round(edge * ratio)) for edge in (box.x, box.y, box.right, box.bottom))
    return page[top:bottom, left:right]


def ink_rows(dark: np.ndarray) -> list[int]:
    """Summits, in px from the top, of the hills of ink that a page's dark pixels (h, w) at DPI pile up row by row.

    The square root lets a line of one word stand beside full ones.
    """
    hills = _smooth(np.sqrt(dark.sum(axis=1, dtype=np.float64)), SMOOTH * DPI)
    padded = np.pad(hills, 1)
    summit = (hills >= padded[:-2]) & (hills > padded[2:]) & (hills >= LOW * np.percentile(hills, 90)) & (hills > 0)
    chosen: list[int] = []
    for row in sorted(np.flatnonzero(summit), key=lambda row: -hills[row]):
        if all(abs(row - other) >= APART * DPI for other in chosen):
            chosen.append(int(row))
    return sorted(chosen)


def unclaimed(rows: tuple[int, ...], form: Form) -> list[int]:
    """The ink rows that lie in no line's box."""
    boxes = [line.box for line in form.lines if line.box]
    return [row for row in rows if not any(box.y - NEAR <= row <= box.bottom + NEAR for box in boxes)]


def edges(grey: np.ndarray) -> np.ndarray:
    """A difference hash (Krawetz, "Kind of like that", 2013) of HASH x HASH cells, packed: uint8."""
    cells = Image.fromarray(grey).resize((HASH + 1, HASH), Image.Resampling.BOX)
    values = np.asarray(cells).astype(np.int16)
    return np.packbits(values[:, 1:] > values[:, :-1] + GRAIN)


def nearest(hashes: np.ndarray, others: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Of each hash (N, bytes), which of `others` is nearest, and how far: 0 is the same, 1 has nothing in common.

    Without `others`, which other one of the same. Distances are Jaccard's, between the sets of edges.
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


def _shrunk(region: np.ndarray, scale: float) -> np.ndarray | None:
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
