"""The grid of features that a reader computes on the strip of a line, and the weights that pool its rows.

Training and inference share this module, so that both see a line the same way. Lengths are in inches of paper, so
that they hold at any resolution.

The encoder first folds each square of pixels into the channels of one position: squares of 1 x 1 pixels below 150 dpi,
of 2 x 2 from 150 dpi on, and so on. A cell of the grid therefore covers about as much paper at any resolution, and a
strip of higher resolution costs hardly more.
"""

from dataclasses import dataclass

import numpy as np

POOL_SIGMA = 0.13  # inches above and below a line's centre from which its features are pooled
MIN_LINE_DISTANCE = 0.25  # inches; boxes whose centres are nearer are hardly two lines; IAM's lines are 0.6 apart
LINE_HEIGHT = 0.4  # inches; the usual height of a line: x-height, ascender and descender
SQUARES_PER_INCH = 75
CELL_HEIGHT, CELL_WIDTH = 8, 4  # in squares


@dataclass(frozen=True)
class FeatureGrid:
    """The grid of the encoder's features. One cell covers `cell_height` x `cell_width` pixels of a strip at `dpi`."""

    dpi: int
    cell_height: int
    cell_width: int

    @classmethod
    def at(cls, dpi: int) -> "FeatureGrid":
        """Return the grid of a reader whose strips have `dpi`."""
        side = max(1, dpi // SQUARES_PER_INCH)
        return cls(dpi, side * CELL_HEIGHT, side * CELL_WIDTH)

    @property
    def side(self) -> int:
        """The side of a square, in pixels."""
        return self.cell_width // CELL_WIDTH

    def size(self, height: int, width: int) -> tuple[int, int]:
        """Return the rows and columns (h, w) that cover so many pixels. The last ones may extend beyond them."""
        return -(-height // self.cell_height), -(-width // self.cell_width)

    def columns(self, inches: float) -> float:
        """Convert a width in inches to columns of the grid."""
        return inches * self.dpi / self.cell_width

    def pooling_weights(self, height: int) -> np.ndarray:
        """Return the weights (h,), float32, that pool the rows of the grid of a strip of `height` pixels.

        They are a Gaussian around the middle of the strip. Their sum is 1.
        """
        rows, _ = self.size(height, self.cell_width)
        distance = np.arange(rows) + 0.5 - height / 2 / self.cell_height
        gaussian = np.exp(-0.5 * (distance * self.cell_height / (POOL_SIGMA * self.dpi)) ** 2)
        weights: np.ndarray = gaussian / gaussian.sum()
        return weights.astype(np.float32)
