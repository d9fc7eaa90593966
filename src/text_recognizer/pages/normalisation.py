"""Normalise the light and the contrast of a page, so that paper is white and writing is black."""

import numpy as np
from PIL import Image

PAPER = 255
# A picture whose paper and ink differ by less than this (of 255) is taken to be blank: paper grain spans about 20.
MIN_CONTRAST = 40
# If the brightness of the paper varies by less than this (of 255), the picture is left as it is.
MIN_UNEVENNESS = 40
# Blocks darker than this are not shaded paper, but a dark table or a blackened edge.
MIN_PAPER = 60
NUM_BLOCKS = 16  # along the longer side
MIN_BLOCK = 24  # pixels along a block's side
SAMPLED_SIDE = 600  # pixels along the longer side that are sampled to estimate the paper


def normalise_contrast(grey: np.ndarray, binarise: bool = False) -> np.ndarray:
    """Stretch uint8 grey (H, W) so that paper becomes 255 and the darkest ink 0.

    Shadows over the paper are removed first. Light writing on a dark ground is inverted. A picture whose contrast is
    too low to hold writing becomes blank. If `binarise`, every pixel becomes either 0 or 255, by Otsu's threshold.
    """
    out = _stretch(even_light(grey))
    return np.where(out > otsu_threshold(out), PAPER, 0).astype(np.uint8) if binarise else out


def even_light(grey: np.ndarray) -> np.ndarray:
    """Make the brightness of the paper the same everywhere, uint8 (H, W). Return `grey` itself if it is even already.

    The picture is divided into about NUM_BLOCKS x NUM_BLOCKS blocks, and the brightest pixels of each are its paper.
    Light writing on a dark ground is left as it is, because its brightest pixels are not paper.
    """
    # A sample of every few pixels estimates the paper as well as all of them.
    step = max(1, max(grey.shape) // SAMPLED_SIDE)
    sample = grey[::step, ::step]
    side = max(MIN_BLOCK, -(-max(sample.shape) // NUM_BLOCKS))
    if min(sample.shape) < 2 * side:
        return grey
    paper = _paper_brightness(sample, side)
    brightest, darkest = float(np.percentile(paper, 90)), float(paper.min())
    dark_ground = float(np.median(sample)) < brightest / 2
    if brightest - darkest < MIN_UNEVENNESS or dark_ground or darkest < MIN_PAPER:
        return grey
    small = Image.fromarray(paper.astype(np.float32))
    background = np.asarray(small.resize((grey.shape[1], grey.shape[0]), Image.Resampling.BILINEAR))
    out: np.ndarray = np.clip(np.round(grey * (brightest / np.maximum(background, 1))), 0, 255)
    return out.astype(np.uint8)


def _paper_brightness(grey: np.ndarray, side: int) -> np.ndarray:
    """Estimate the brightness of the paper in each block of `side` x `side` pixels, float (rows, columns).

    The estimate is the median over a block and its eight neighbours, so that a block full of ink or one with a bright
    speck does not count.
    """
    rows, columns = grey.shape[0] // side, grey.shape[1] // side
    blocks = grey[: rows * side, : columns * side].reshape(rows, side, columns, side).swapaxes(1, 2)
    bright = np.percentile(blocks.reshape(rows, columns, -1), 80, axis=2)
    padded = np.pad(bright, 1, mode="edge")
    neighbours = [padded[y : y + rows, x : x + columns] for y in range(3) for x in range(3)]
    brightness: np.ndarray = np.median(neighbours, axis=0)
    return brightness


def _stretch(grey: np.ndarray) -> np.ndarray:
    low, median, high = percentiles(grey, (0.5, 50, 99.5))
    if median - low < high - median:
        grey, low, median = 255 - grey, 255 - high, 255 - median
    if median - low < MIN_CONTRAST:
        return np.full_like(grey, PAPER)
    # The grain of the paper lies below the median too, so the top tenth of the range counts as paper.
    paper = median - 0.1 * (median - low)
    lookup: np.ndarray = np.round(np.clip((np.arange(256) - low) / (paper - low), 0, 1) * PAPER).astype(np.uint8)
    stretched: np.ndarray = lookup[grey]
    return stretched


def otsu_threshold(grey: np.ndarray) -> int:
    """Return the threshold that separates dark from light pixels best (Otsu 1979). Pixels up to it are dark."""
    counts = np.bincount(grey.ravel(), minlength=256).astype(np.float64)
    below, total = np.cumsum(counts), counts.sum()
    sums = np.cumsum(counts * np.arange(256))
    above = total - below
    with np.errstate(divide="ignore", invalid="ignore"):
        between = (sums[-1] * below - sums * total) ** 2 / (below * above)
    return int(np.nan_to_num(between, nan=-1, posinf=-1).argmax())


def percentiles(grey: np.ndarray, wanted: tuple[float, ...]) -> list[float]:
    """Return the `wanted` percentiles (0 to 100) of uint8 pixels, interpolated linearly.

    The result equals that of `np.percentile`. On a scanned page the histogram makes it ten times as fast.
    """
    cumulative = np.cumsum(np.bincount(grey.ravel(), minlength=256))
    ranks = np.asarray(wanted) / 100 * (grey.size - 1)
    below, above = (np.searchsorted(cumulative, rank, side="right") for rank in (np.floor(ranks), np.ceil(ranks)))
    return [float(value) for value in below + (above - below) * (ranks - np.floor(ranks))]
