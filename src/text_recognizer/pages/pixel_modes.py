"""Convert a picture of any pixel mode, turned any way, to uint8 grey or RGB."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Literal

import numpy as np
from PIL import ExifTags, Image

Mode = Literal["L", "RGB"]
STRIP_PIXELS = 1 << 20  # a picture is converted in strips, so that no second copy of a large one is in memory

# From the upright picture to a view of it in the order in which the file stores its pixels, by EXIF orientation.
_STORED_ORDER: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda upright: upright,
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: upright[::-1, ::-1],
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.swapaxes(0, 1),
    6: lambda upright: upright.swapaxes(0, 1)[::-1],
    7: lambda upright: upright.swapaxes(0, 1)[::-1, ::-1],
    8: lambda upright: upright.swapaxes(0, 1)[:, ::-1],
}
_QUARTER_TURNED = (5, 6, 7, 8)


def to_pixels(picture: Image.Image, mode: Mode) -> np.ndarray:
    """Decode a picture and return it upright as uint8: (H, W) for mode "L", (H, W, 3) for mode "RGB".

    The picture is turned as its EXIF orientation says. Transparent pixels become white. Integer pixels of 16 or more
    bits and float pixels are scaled to their maximum; what is negative, infinite or not a number becomes 0.
    """
    picture.load()
    orientation = _orientation(picture)
    high, wide = (picture.width, picture.height) if orientation in _QUARTER_TURNED else (picture.height, picture.width)
    upright = np.empty((high, wide, 3) if mode == "RGB" else (high, wide), dtype=np.uint8)
    stored = _STORED_ORDER[orientation](upright)
    convert = _scaled(picture) if picture.mode.startswith("I") or picture.mode == "F" else _coloured
    for top, strip in _strips(picture):
        pixels = convert(strip, mode)
        stored[top : top + len(pixels)] = pixels
    return upright


def _orientation(picture: Image.Image) -> int:
    """Return the EXIF orientation, 1 to 8; 1 if the EXIF data are damaged. TIFFs are upright after they are decoded."""
    orientation: int = 1
    with suppress(Exception):  # the decoder of EXIF data raises nearly anything, and the pixels may be fine
        orientation = picture.getexif().get(ExifTags.Base.Orientation, 1)
    return orientation if orientation in _STORED_ORDER else 1


def _strips(picture: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    rows = max(1, STRIP_PIXELS // picture.width)
    for top in range(0, picture.height, rows):
        yield top, picture.crop((0, top, picture.width, min(top + rows, picture.height)))


def _coloured(strip: Image.Image, mode: Mode) -> np.ndarray:
    if "A" in strip.getbands() or "transparency" in strip.info:
        layer = strip.convert("RGBA")
        strip = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
    elif strip.mode == "LAB":
        strip = strip.getchannel("L")
    return np.asarray(strip.convert(mode))


def _scaled(picture: Image.Image) -> Callable[[Image.Image, Mode], np.ndarray]:
    """Return a conversion of the picture's strips that maps its largest value to 255."""
    largest = max(float(_finite(strip).max()) for _, strip in _strips(picture))
    factor = 255.0 / max(largest, 1.0)

    def convert(strip: Image.Image, mode: Mode) -> np.ndarray:
        grey = (_finite(strip) * factor).astype(np.uint8)
        return grey[..., np.newaxis] if mode == "RGB" else grey

    return convert


def _finite(strip: Image.Image) -> np.ndarray:
    values = np.asarray(strip, dtype=np.float32)
    return np.nan_to_num(values, nan=0, posinf=0, neginf=0).clip(min=0)
