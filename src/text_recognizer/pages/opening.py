"""Open any picture file as grey pixels."""

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from text_recognizer.core.errors import DataError

MAX_PIXELS = 60_000_000
FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "GIF", "BMP")


def open_picture(source: Path | bytes, name: str = "the picture") -> np.ndarray:
    """Open a picture file, or its bytes, as uint8 grey (H, W).

    The picture is rotated as its EXIF orientation says, and transparent pixels become white. `name` stands for the
    picture in errors if `source` is bytes.

    Raises:
        DataError: the file is missing, is not a picture, is damaged, or has more than MAX_PIXELS pixels.
    """
    label = str(source) if isinstance(source, Path) else name
    try:
        with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source, formats=FORMATS) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise _too_large(label)
            return _to_grey(ImageOps.exif_transpose(picture))
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


def _to_grey(picture: Image.Image) -> np.ndarray:
    """Convert a picture of any mode to uint8 grey (H, W). Integer and float pixels are scaled to their maximum."""
    if picture.mode.startswith("I") or picture.mode == "F":
        values = np.nan_to_num(np.asarray(picture, dtype=np.float32), nan=0, posinf=0, neginf=0).clip(min=0)
        return (values * (255.0 / max(float(values.max()), 1.0))).astype(np.uint8)
    if "A" in picture.getbands() or "transparency" in picture.info:
        layer = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
    return np.asarray(picture.convert("L"))
