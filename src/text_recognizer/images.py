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


def level(grey: np.ndarray) -> np.ndarray:
    """Stretches uint8 (H, W) so that paper is 255 and the darkest ink 0; light writing on dark ground is inverted.

    A picture with too little contrast to hold writing comes back blank.
    """
    low, middle, high = (float(value) for value in np.percentile(grey, (0.5, 50, 99.5)))
    if middle - low < high - middle:
        grey, low, middle = 255 - grey, 255 - high, 255 - middle
    if middle - low < MIN_CONTRAST:
        return np.full_like(grey, PAPER)
    # Paper grain lies below the median too: the top tenth of the range counts as paper.
    paper = middle - 0.1 * (middle - low)
    stretch = np.clip((np.arange(256) - low) / (paper - low), 0, 1) * PAPER
    return np.round(stretch).astype(np.uint8)[grey]


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
