"""Where the lines of a page lie on the encoder's grid, and how a line's features are gathered from it.

Shared by training and reading, so that both see a line the same way. Lengths are in inches of paper, so that they
hold at any resolution; a grid row is `cell_height` pixels at `dpi`. `L` lines, `h w` the grid's rows and columns.

The reader takes a page by squares of pixels: of 1 x 1 below twice DETAIL, of 2 x 2 and so on where a page is finer. So
a cell is about as large on any paper, and finer pages cost hardly more.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

POOL_SIGMA = 0.13  # how far a line's features are gathered from above and below its centre
HEAT_SIGMA = 0.11  # width of the ridge that the row head learns to draw along a line's centre
CLOSEST = 0.25  # lines nearer than this are one line; IAM's stand 0.6 apart
SHORTEST = 0.3  # a line shorter than this is still found
LINE_HEIGHT = 0.4  # of the box reported for a line: an x-height, an ascender and a descender
MIN_HEAT = 0.3
DETAIL = 75  # dpi
CELL_HEIGHT, CELL_WIDTH = 8, 4  # in squares
INKED = 0.2  # more than the grain of any paper
MARGIN, WHOLE = 24, 16  # in squares; the second is a multiple of a cell's sides


@dataclass(frozen=True)
class Grid:
    """The encoder's grid: one cell is `cell_height` x `cell_width` pixels of a page at `dpi`."""

    dpi: int
    cell_height: int
    cell_width: int

    @classmethod
    def at(cls, dpi: int) -> "Grid":
        """The grid of a reader of pages at `dpi`."""
        side = max(1, dpi // DETAIL)
        return cls(dpi, side * CELL_HEIGHT, side * CELL_WIDTH)

    @property
    def side(self) -> int:
        """Pixels a side of a square."""
        return self.cell_width // CELL_WIDTH

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns over so many pixels; the last ones may reach beyond them."""
        return -(-height // self.cell_height), -(-width // self.cell_width)

    def reach(self, end: int, whole: int = WHOLE) -> int:
        """How many pixels of a canvas to take whose ink ends before pixel `end`: with a margin, in `whole` squares.

        Half of the canvas of a page of IAM is empty, and costs as much as the other half.
        """
        step = whole * self.side
        return -(-(end + MARGIN * self.side) // step) * step

    def rows(self, inches: float) -> float:
        return inches * self.dpi / self.cell_height

    def columns(self, inches: float) -> float:
        return inches * self.dpi / self.cell_width


def pooling(centres: np.ndarray, rows: int, grid: Grid) -> np.ndarray:
    """Weights (L, h), each line's summing to 1: a Gaussian about `centres` (L,), in rows from the top edge."""
    distance = np.arange(rows) + 0.5 - np.asarray(centres, dtype=np.float64)[:, None]
    weights = np.exp(-0.5 * (distance / grid.rows(POOL_SIGMA)) ** 2) + 1e-9
    return (weights / weights.sum(axis=1, keepdims=True)).astype(np.float32)


def ridges(
    centres: np.ndarray, left: np.ndarray, right: np.ndarray, counts: Sequence[int], size: tuple[int, int], grid: Grid
) -> np.ndarray:
    """What the row head should draw on each page, (B, h, w) in 0..1: along each line a ridge from `left` to `right`.

    Page `b` has the next `counts[b]` of the lines. Where two ridges meet, the higher one counts.
    """
    pages = np.zeros((len(counts), *size), dtype=np.float32)
    rows, columns = np.arange(size[0]) + 0.5, np.arange(size[1]) + 0.5
    across = np.exp(-0.5 * ((rows - centres[:, None]) / grid.rows(HEAT_SIGMA)) ** 2).astype(np.float32)
    spans = zip(np.searchsorted(columns, left), np.searchsorted(columns, right, side="right"), strict=True)
    for page, ridge, (start, stop) in zip(np.repeat(np.arange(len(counts)), counts), across, spans, strict=True):
        along = pages[page, :, start:stop]
        np.maximum(along, ridge[:, None], out=along)
    return pages


def find_lines(heat: np.ndarray, grid: Grid) -> np.ndarray:
    """Centres of the lines, in rows, top to bottom, from the row head's probabilities (h, w).

    A row's strength is the mean of its hottest cells, as many as the shortest line has; local maxima above MIN_HEAT are
    lines, the stronger first, none nearer than CLOSEST to another.
    """
    cells = max(1, round(grid.columns(SHORTEST)))
    strength = np.sort(heat, axis=1)[:, -cells:].mean(axis=1)
    padded = np.pad(strength, 1)
    peak = (strength >= MIN_HEAT) & (strength >= padded[:-2]) & (strength > padded[2:])
    chosen: list[float] = []
    for row in sorted(np.flatnonzero(peak), key=lambda row: -strength[row]):
        centre = _summit(padded[row : row + 3]) + row + 0.5
        if all(abs(centre - other) >= grid.rows(CLOSEST) for other in chosen):
            chosen.append(centre)
    return np.array(sorted(chosen))


def _summit(three: np.ndarray) -> float:
    """Where the parabola through three neighbours has its top, from the middle one."""
    before, top, after = map(float, three)
    bend = before - 2 * top + after
    return 0.5 * (before - after) / bend if bend < 0 else 0.0
