"""Draw strokes as coverage of the paper, with pressure, tapered ends and the contrast of a broad nib."""

from math import ceil

import cv2
import numpy as np

from text_recognizer.core.geometry import Box
from text_recognizer.synthetic.ink import Ink
from text_recognizer.synthetic.style import Style

# OpenCV draws lines of integer width, so strokes are drawn larger than the picture and averaged down.
DRAWING_DPI = 600
SHIFT = 4  # fractional bits of the coordinates
DOT = 3.0  # px at 300 dpi: a shorter stroke is a dot and drawn a little wider
COVERED = 90  # of 255: least coverage that counts as ink for the boxes


def draw_ink(ink: Ink, style: Style, scale: float, rng: np.random.Generator) -> tuple[np.ndarray, int, int]:
    """Draw a word. Return its coverage, uint8 (h, w), and the x and y of its top left corner in the picture.

    `scale` is the picture's pixels per pixel at 300 dpi.
    """
    fine = max(2, round(DRAWING_DPI / (300 * scale)))
    points, margin = ink.points * scale, style.pen * scale + 2
    left, top = (int(edge) for edge in np.floor(points.min(axis=0) - margin))
    right, bottom = (int(edge) for edge in np.ceil(points.max(axis=0) + margin))
    canvas = np.zeros(((bottom - top) * fine, (right - left) * fine), dtype=np.uint8)
    thickness = np.maximum(np.round(_widths(ink, style, rng) * (style.pen * scale * fine)), 1)
    thickness[np.cumsum(ink.lengths)[:-1] - 1] = 0  # the pen is lifted between strokes
    corners = np.round((points - (left, top)) * (fine << SHIFT)).astype(np.int32)[:, None]
    for width, runs in _runs(corners, thickness.astype(int)).items():
        cv2.polylines(canvas, runs, False, 255, width, cv2.LINE_8, SHIFT)
    return cv2.resize(canvas, (right - left, bottom - top), interpolation=cv2.INTER_AREA), left, top


def _widths(ink: Ink, style: Style, rng: np.random.Generator) -> np.ndarray:
    """Return the width of each step from point to point, (n - 1,), relative to the pen's."""
    strokes = len(ink.lengths)
    stroke = np.repeat(np.arange(strokes), ink.lengths)
    steps = np.diff(ink.points, axis=0)
    distance = np.concatenate([[0], np.cumsum(np.hypot(*steps.T))])
    last = np.cumsum(ink.lengths) - 1
    begin = distance[last - ink.lengths + 1]
    total = distance[last] - begin
    of_step = stroke[:-1]
    along = (distance[:-1] + distance[1:]) / 2 - begin[of_step]
    wave = 1 / (style.x_height * rng.uniform(0.5, 1.1, strokes))
    slow, fast = rng.uniform(0, 2 * np.pi, (2, strokes))
    swell = 0.7 * np.sin(along * wave[of_step] + slow[of_step])
    swell += 0.4 * np.sin(along / (0.3 * style.x_height) + fast[of_step])
    width = (1 + rng.normal(0, 0.03)) * (1 + style.pressure * swell)
    width *= np.where(total < DOT, 1.25, 1)[of_step]
    if style.nib:
        width *= 1 - style.nib * (1 - np.abs(np.sin(np.arctan2(steps[:, 1], steps[:, 0]) + style.nib_angle)))
    widths: np.ndarray = width * _taper_factor(along, total[of_step], style)
    return widths


def _taper_factor(along: np.ndarray, total: np.ndarray, style: Style) -> np.ndarray:
    """Return the factor of the width that thins both ends of a stroke, the end more than the start."""
    tail = np.maximum(np.minimum(0.35 * style.x_height, total / 3), 1e-6)
    end, start = np.clip(1 - (total - along) / tail, 0, 1), np.clip(1 - along / tail, 0, 1)
    factor: np.ndarray = (1 - style.taper * end**1.5) * (1 - 0.35 * style.taper * start**2)
    return factor


def _runs(corners: np.ndarray, thickness: np.ndarray) -> dict[int, list[np.ndarray]]:
    """Group steps of equal thickness into polylines, so that a word takes one drawing call for each thickness."""
    ends = np.append(np.flatnonzero(np.diff(thickness)) + 1, len(thickness))
    runs: dict[int, list[np.ndarray]] = {}
    start = 0
    for end in map(int, ends):
        if thickness[start]:
            runs.setdefault(int(thickness[start]), []).append(corners[start : end + 1])
        start = end
    return runs


def ink_boxes(coverage: np.ndarray, left: int, top: int, scale: float) -> list[Box]:
    """Return the boxes around the connected pieces of ink, from left to right, in pixels at 300 dpi.

    A patch that is too faint for any piece gets one box around all of it.
    """
    covered = (coverage >= COVERED).astype(np.uint8)
    _, _, table, _ = cv2.connectedComponentsWithStats(covered, connectivity=8)
    pieces = [row[:4] for row in table[1:] if row[cv2.CC_STAT_AREA] >= 2]
    pieces = pieces or [(0, 0, coverage.shape[1], coverage.shape[0])]
    return sorted((_at_300(piece, left, top, scale) for piece in pieces), key=lambda box: (box.x, box.y))


def _at_300(piece: np.ndarray | tuple[int, ...], left: int, top: int, scale: float) -> Box:
    x, y, width, height = (int(value) for value in piece)
    x, y = x + left, y + top
    first_x, first_y = int(x / scale), int(y / scale)
    return Box(first_x, first_y, ceil((x + width) / scale) - first_x, ceil((y + height) / scale) - first_y)
