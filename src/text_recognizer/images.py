"""From any picture to the canvas that a model reads: one code path for training, evaluation and serving."""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from text_recognizer.errors import DataError

PAPER = 255
MAX_PIXELS = 60_000_000
FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "GIF", "BMP")
# Below this difference between paper and ink (of 255) a picture is taken to be blank: paper grain spans about 20.
MIN_CONTRAST = 40
# Paper that differs by less than this (of 255) from place to place is even, and its picture is left as it is.
UNEVEN = 40
# What is darker is no paper in the shade, but a dark table or a blackened edge.
DARKEST_PAPER = 60
BLOCKS, MIN_BLOCK, COARSE = 16, 24, 600  # blocks along the longer side; px at least; px that are looked at
# Degrees: the largest skew that is looked for, and the smallest that is taken out; the reader knows smaller ones.
MAX_SKEW, MIN_SKEW = 8.0, 0.75
# How much sharper the rows of ink have to become: by less, a single word may be taken for a skewed line.
SHARPER = 1.15


@dataclass(frozen=True)
class Placed:
    """A picture on a canvas: `canvas` is uint8 (H, W), dark ink on paper of 255.

    A pixel `(x, y)` of the picture lies at `((x - left) * scale, (y - top) * scale)` of the canvas.
    """

    canvas: np.ndarray
    scale: float
    left: int
    top: int

    def to_picture(self, box: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
        """A box `(x, y, width, height)` on the canvas, in pixels of the picture."""
        x, y, width, height = (value / self.scale for value in box)
        return round(x) + self.left, round(y) + self.top, round(width), round(height)


@dataclass(frozen=True)
class Straightened:
    """A picture whose lines of writing are level: `grey`, uint8 (H, W), is one of `size` (h, w) turned by `degrees`."""

    grey: np.ndarray
    degrees: float
    size: tuple[int, int]

    def to_picture(self, box: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
        """The upright box, in pixels of the picture before it was turned, around a box `(x, y, width, height)`."""
        if not self.degrees:
            return box
        x, y, width, height = box
        middle = np.array([self.grey.shape[1], self.grey.shape[0]]) / 2
        corners = np.array([(x, y), (x + width, y), (x, y + height), (x + width, y + height)]) - middle
        sine, cosine = np.sin(np.radians(self.degrees)), np.cos(np.radians(self.degrees))
        back = corners @ np.array([(cosine, sine), (-sine, cosine)]) + np.array(self.size[::-1]) / 2
        (left, top), (right, bottom) = back.min(axis=0), back.max(axis=0)
        return round(left), round(top), round(right - left), round(bottom - top)


def open_picture(source: Path | bytes, name: str = "the picture") -> np.ndarray:
    """Any picture file as uint8 grey (H, W): turned upright as its camera says, transparency on white.

    Raises DataError where it is missing, no picture, broken, or larger than MAX_PIXELS.
    """
    label = str(source) if isinstance(source, Path) else name
    try:
        with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source, formats=FORMATS) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise _too_large(label)
            return _grey(ImageOps.exif_transpose(picture))
    except FileNotFoundError:
        raise DataError(f"{label} does not exist", "check the name") from None
    except UnidentifiedImageError:
        raise DataError(f"{label} is not a picture that can be read", "give a PNG, JPEG, TIFF or WebP") from None
    except Image.DecompressionBombError:
        raise _too_large(label) from None
    except (OSError, SyntaxError, ValueError) as error:
        raise DataError(f"{label} is a broken picture: {error}", "save or send it again") from None


def _too_large(label: str) -> DataError:
    return DataError(f"{label} has more than {MAX_PIXELS:,} pixels", "scale it down; 150 to 300 dpi are enough")


def _grey(picture: Image.Image) -> np.ndarray:
    if picture.mode.startswith("I") or picture.mode == "F":
        values = np.nan_to_num(np.asarray(picture, dtype=np.float32), nan=0, posinf=0, neginf=0).clip(min=0)
        return (values * (255.0 / max(float(values.max()), 1.0))).astype(np.uint8)
    if "A" in picture.getbands() or "transparency" in picture.info:
        layer = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
    return np.asarray(picture.convert("L"))


def level(grey: np.ndarray, binarise: bool = False) -> np.ndarray:
    """Stretches uint8 (H, W) so that paper is 255 and the darkest ink 0; light writing on dark ground is inverted.

    A shadow over the paper is taken out first. A picture with too little contrast to hold writing comes back blank.
    With `binarise` every pixel is paper or ink, parted by Otsu's threshold.
    """
    out = _stretched(even(grey))
    return np.where(out > otsu(out), PAPER, 0).astype(np.uint8) if binarise else out


def even(grey: np.ndarray) -> np.ndarray:
    """uint8 (H, W) with the paper's brightness made the same all over; as it was where the paper is even already.

    Paper is what is brightest in each of about BLOCKS x BLOCKS blocks. Light writing on dark ground stays as it is: its
    paper is not what is brightest.
    """
    # Paper shows at every few pixels as well as at all of them.
    coarse = grey[:: (every := max(1, max(grey.shape) // COARSE)), ::every]
    side = max(MIN_BLOCK, -(-max(coarse.shape) // BLOCKS))
    if min(coarse.shape) < 2 * side:
        return grey
    paper = _paper(coarse, side)
    top = float(np.percentile(paper, 90))
    middle = float(np.median(coarse))
    if top - float(paper.min()) < UNEVEN or middle < top / 2 or float(paper.min()) < DARKEST_PAPER:
        return grey
    small = Image.fromarray(paper.astype(np.float32))
    ground = np.asarray(small.resize((grey.shape[1], grey.shape[0]), Image.Resampling.BILINEAR))
    return np.clip(np.round(grey * (top / np.maximum(ground, 1))), 0, 255).astype(np.uint8)


def _paper(grey: np.ndarray, side: int) -> np.ndarray:
    """The brightness of the paper, float (h, w), one value for each block of `side` x `side` pixels.

    The middle of each block and its neighbours: a block full of ink, or one with a bright speck, does not count.
    """
    rows, columns = grey.shape[0] // side, grey.shape[1] // side
    blocks = grey[: rows * side, : columns * side].reshape(rows, side, columns, side).swapaxes(1, 2)
    bright = np.percentile(blocks.reshape(rows, columns, -1), 80, axis=2)
    padded = np.pad(bright, 1, mode="edge")
    around = [padded[y : y + rows, x : x + columns] for y in range(3) for x in range(3)]
    return np.median(around, axis=0)


def otsu(grey: np.ndarray) -> int:
    """The threshold that parts dark from light best (Otsu 1979): pixels up to it are dark."""
    counts = np.bincount(grey.ravel(), minlength=256).astype(np.float64)
    below, total = np.cumsum(counts), counts.sum()
    sums = np.cumsum(counts * np.arange(256))
    above = total - below
    with np.errstate(divide="ignore", invalid="ignore"):
        between = (sums[-1] * below - sums * total) ** 2 / (below * above)
    return int(np.nan_to_num(between, nan=-1, posinf=-1).argmax())


def percentiles(grey: np.ndarray, wanted: tuple[float, ...]) -> list[float]:
    """What np.percentile gives, from a histogram of uint8 pixels: on a scanned page ten times as fast."""
    upto = np.cumsum(np.bincount(grey.ravel(), minlength=256))
    places = np.asarray(wanted) / 100 * (grey.size - 1)
    below, above = (np.searchsorted(upto, edge, side="right") for edge in (np.floor(places), np.ceil(places)))
    return [float(value) for value in below + (above - below) * (places - np.floor(places))]


def _stretched(grey: np.ndarray) -> np.ndarray:
    low, middle, high = percentiles(grey, (0.5, 50, 99.5))
    if middle - low < high - middle:
        grey, low, middle = 255 - grey, 255 - high, 255 - middle
    if middle - low < MIN_CONTRAST:
        return np.full_like(grey, PAPER)
    # Paper grain lies below the median too: the top tenth of the range counts as paper.
    paper = middle - 0.1 * (middle - low)
    stretch = np.clip((np.arange(256) - low) / (paper - low), 0, 1) * PAPER
    return np.round(stretch).astype(np.uint8)[grey]


def straighten(levelled: np.ndarray) -> Straightened:
    """Turns a levelled picture, uint8 (H, W), so that its lines are level; where no skew is sure it stays as it was."""
    degrees = skew(levelled)
    size = levelled.shape[0], levelled.shape[1]
    if not degrees:
        return Straightened(levelled, 0.0, size)
    return Straightened(turned(levelled, -degrees), -degrees, size)


def turned(grey: np.ndarray, degrees: float) -> np.ndarray:
    """uint8 (H, W) turned counter-clockwise, on paper that is as large as it then has to be."""
    picture = Image.fromarray(grey).rotate(degrees, Image.Resampling.BICUBIC, expand=True, fillcolor=PAPER)
    return np.asarray(picture)


def skew(levelled: np.ndarray) -> float:
    """By how many degrees the lines of a levelled picture rise to the right, to a quarter of one; 0 where none is sure.

    The angle along which the ink falls into the fewest and fullest rows: a projection profile (Postl 1986).
    """
    coarse = levelled[:: (every := max(1, max(levelled.shape) // COARSE)), ::every]
    rows, columns = np.nonzero(coarse < PAPER // 2)

    def sharpness(degrees: float) -> float:
        levels = rows + columns * np.tan(np.radians(degrees))
        counts = np.bincount(((levels - levels.min()) / 2).astype(int))
        return float(np.square(counts, dtype=np.float64).sum())

    if not len(rows):
        return 0.0
    best = max(np.arange(-MAX_SKEW, MAX_SKEW + 0.5, 0.5), key=sharpness)
    best = max((best - 0.25, best, best + 0.25), key=sharpness)
    return float(best) if abs(best) >= MIN_SKEW and sharpness(best) >= SHARPER * sharpness(0) else 0.0


def place(grey: np.ndarray, canvas: tuple[int, int], scale: float, left: int = 0, top: int = 0) -> Placed:
    """Scales a levelled picture, by less where it would not fit, and lays it at the top left of a canvas (H, W).

    `left` and `top` say where `grey` was cut from a larger picture, so that boxes can be given in its pixels.
    """
    height, width = grey.shape
    scale = min(scale, canvas[0] / height, canvas[1] / width)
    size = max(1, min(canvas[1], round(width * scale))), max(1, min(canvas[0], round(height * scale)))
    small = Image.fromarray(grey).resize(size, Image.Resampling.BOX if scale < 0.5 else Image.Resampling.BILINEAR)
    out = np.full(canvas, PAPER, dtype=np.uint8)
    out[: size[1], : size[0]] = np.asarray(small)
    return Placed(out, scale, left, top)


def ink_box(levelled: np.ndarray) -> tuple[int, int, int, int] | None:
    """`(left, top, right, bottom)` around the ink of a levelled picture; None on a blank one.

    A row or column needs two dark pixels to count, so that single specks do not move the edges.
    """
    dark = levelled < PAPER // 2
    rows, columns = (np.flatnonzero(dark.sum(axis=axis) >= 2) for axis in (1, 0))
    if not len(rows) or not len(columns):
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def middle_rows(levelled: np.ndarray) -> slice:
    """The middle third of a levelled picture's rows, but a fifth of its width at least: two or three lines of a page.

    Each edge is the palest row nearby, so that few lines are cut. Of a low picture it is all of them.
    """
    height, width = levelled.shape
    wanted = max(height // 3, width // 5, 1)
    if wanted >= height:
        return slice(0, height)
    ink = (PAPER - levelled.astype(np.int64)).sum(axis=1)
    top, slack = (height - wanted) // 2, wanted // 6

    def palest(row: int) -> int:
        first = max(0, row - slack)
        return first + int(ink[first : row + slack + 1].argmin())

    return slice(palest(top), palest(top + wanted))
