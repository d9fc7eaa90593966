"""The line heatmap of a page, and the weights that pool the features of each line.

Training and inference share this module, so that both see a line the same way. Lengths are in inches of paper, so
that they hold at any resolution. `L` lines, `B` pages, `h w` rows and columns of the feature grid.

The encoder first folds each square of pixels into the channels of one position: squares of 1 x 1 pixels below 150 dpi,
of 2 x 2 from 150 dpi on, and so on. A cell of the grid therefore covers about as much paper at any resolution, and a
page of higher resolution costs hardly more.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

POOL_SIGMA = 0.13  # inches above and below a line's centre from which its features are pooled
HEATMAP_SIGMA = 0.11  # inches; the standard deviation of a line in the heatmap
MIN_LINE_DISTANCE = 0.25  # inches; two centres nearer than this are one line; IAM's lines are 0.6 apart
MIN_LINE_LENGTH = 0.3  # inches; the shortest line that is still found
LINE_HEIGHT = 0.4  # inches; the usual height of a line: x-height, ascender and descender
MIN_HEATMAP = 0.3  # the least probability of a line
SQUARES_PER_INCH = 75
CELL_HEIGHT, CELL_WIDTH = 8, 4  # in squares
MIN_FOREGROUND = 0.2  # of 0 (paper) to 1 (ink); more than the grain of any paper
CROP_MARGIN = 24  # in squares
CROP_STEP = 16  # in squares; a multiple of a cell's sides


@dataclass(frozen=True)
class FeatureGrid:
    """The grid of the encoder's features. One cell covers `cell_height` x `cell_width` pixels of a page at `dpi`."""

    dpi: int
    cell_height: int
    cell_width: int

    @classmethod
    def at(cls, dpi: int) -> "FeatureGrid":
        """Return the grid of a reader whose pages have `dpi`."""
        side = max(1, dpi // SQUARES_PER_INCH)
        return cls(dpi, side * CELL_HEIGHT, side * CELL_WIDTH)

    @property
    def side(self) -> int:
        """The side of a square, in pixels."""
        return self.cell_width // CELL_WIDTH

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Return the rows and columns (h, w) that cover so many pixels. The last ones may extend beyond them."""
        return -(-height // self.cell_height), -(-width // self.cell_width)

    def crop_length(self, end: int, step: int = CROP_STEP) -> int:
        """Return the crop length in pixels that covers ink up to pixel `end` plus a margin, in steps of `step` squares.

        About half of the canvas of an IAM page is empty. Cropping it saves about half of the computation.
        """
        pixels = step * self.side
        return -(-(end + CROP_MARGIN * self.side) // pixels) * pixels

    def rows(self, inches: float) -> float:
        """Convert a height in inches to rows of the grid."""
        return inches * self.dpi / self.cell_height

    def columns(self, inches: float) -> float:
        """Convert a width in inches to columns of the grid."""
        return inches * self.dpi / self.cell_width


def pooling_weights(centres: np.ndarray, rows: int, grid: FeatureGrid) -> np.ndarray:
    """Return the weights (L, h) with which each line pools the rows of the grid. The weights of a line sum to 1.

    They are a Gaussian around the line's centre; `centres` (L,) is in rows from the top edge.
    """
    distance = np.arange(rows) + 0.5 - np.asarray(centres, dtype=np.float64)[:, None]
    gaussian = np.exp(-0.5 * (distance / grid.rows(POOL_SIGMA)) ** 2) + 1e-9
    weights: np.ndarray = gaussian / gaussian.sum(axis=1, keepdims=True)
    return weights.astype(np.float32)


def line_heatmaps(
    centres: np.ndarray,
    left: np.ndarray,
    right: np.ndarray,
    counts: Sequence[int],
    size: tuple[int, int],
    grid: FeatureGrid,
) -> np.ndarray:
    """Return the target heatmap of each page, (B, h, w) from 0 to 1.

    A line is a Gaussian across its centre, between the columns `left` and `right`. Page `b` has the next `counts[b]` of
    the lines. Where two lines overlap, the higher value counts. `size` is (h, w).
    """
    heatmaps = np.zeros((len(counts), *size), dtype=np.float32)
    rows, columns = np.arange(size[0]) + 0.5, np.arange(size[1]) + 0.5
    profiles = np.exp(-0.5 * ((rows - centres[:, None]) / grid.rows(HEATMAP_SIGMA)) ** 2).astype(np.float32)
    spans = zip(np.searchsorted(columns, left), np.searchsorted(columns, right, side="right"), strict=True)
    pages = np.repeat(np.arange(len(counts)), counts)
    for page, profile, (start, stop) in zip(pages, profiles, spans, strict=True):
        covered = heatmaps[page, :, start:stop]
        np.maximum(covered, profile[:, None], out=covered)
    return heatmaps


def find_lines(heatmap: np.ndarray, grid: FeatureGrid) -> np.ndarray:
    """Return the centres of the lines (L,), in rows from top to bottom, that a heatmap (h, w) of probabilities shows.

    The strength of a row is the mean of its N highest cells; N is the length of the shortest line in cells. Lines are
    the local maxima of at least MIN_HEATMAP. The strongest is chosen first, and none within MIN_LINE_DISTANCE of it.
    """
    cells = max(1, round(grid.columns(MIN_LINE_LENGTH)))
    strength = np.sort(heatmap, axis=1)[:, -cells:].mean(axis=1)
    padded = np.pad(strength, 1)
    peak = (strength >= MIN_HEATMAP) & (strength >= padded[:-2]) & (strength > padded[2:])
    chosen: list[float] = []
    for row in sorted(np.flatnonzero(peak), key=lambda row: -strength[row]):
        centre = _parabola_peak(padded[row : row + 3]) + row + 0.5
        if all(abs(centre - other) >= grid.rows(MIN_LINE_DISTANCE) for other in chosen):
            chosen.append(centre)
    return np.array(sorted(chosen))


def _parabola_peak(values: np.ndarray) -> float:
    """Return the position of the peak of the parabola through three neighbours, relative to the middle one."""
    before, middle, after = map(float, values)
    curvature = before - 2 * middle + after
    return 0.5 * (before - after) / curvature if curvature < 0 else 0.0
