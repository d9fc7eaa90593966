"""Read the pages of picture files: PNG, JPEG, TIFF, WebP, GIF, BMP, HEIC and AVIF."""

import io
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path

import numpy as np
from pi_heif import register_heif_opener
from PIL import Image, UnidentifiedImageError

from text_recognizer.core.errors import DataError
from text_recognizer.pages.pixel_modes import Mode, to_pixels

# Pillow also reads formats that start other programs: EPS starts Ghostscript. Those are never tried.
FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "GIF", "BMP", "HEIF", "AVIF")
# The others hold one page. What phones append to a JPEG (format MPO) are previews and depth maps, not pages.
_WITH_PAGES = ("TIFF", "WEBP", "GIF", "HEIF", "AVIF")
_SUBFILE_TYPE = 254  # the TIFF tag that tells pages from what belongs to a page
_REDUCED_OR_MASK = 0b101

register_heif_opener()


def is_picture(data: bytes) -> bool:
    """Return whether these bytes begin like a picture of a known format. It may still be damaged or too large."""
    try:
        Image.open(io.BytesIO(data), formats=FORMATS).close()
    except UnidentifiedImageError:
        return False
    except Exception:  # noqa: BLE001 - the decoder knew the format, and opening the picture explains what is wrong
        return True
    return True


class RasterFile:
    """A picture file that is open. Its pages are decoded one at a time. Pages are counted from 0."""

    def __init__(self, source: Path | bytes, label: str, max_pages: int) -> None:
        self._picture = Image.open(io.BytesIO(source) if isinstance(source, bytes) else source, formats=FORMATS)
        self._label = label
        self._max_pages = max_pages

    @property
    def count(self) -> int:
        """The number of pages. Raises DataError if there are more than `max_pages`."""
        return len(self._frames)

    def size(self, page: int) -> tuple[int, int]:
        """Return the width and the height that the file declares for a page, in pixels, before EXIF orientation."""
        self._picture.seek(self._first_frame if page == 0 else self._frames[page])
        return self._picture.size

    def pixels(self, page: int, mode: Mode) -> np.ndarray:
        """Decode a page to uint8 pixels, upright."""
        self.size(page)
        return to_pixels(self._picture, mode)

    def close(self) -> None:
        """Close the file."""
        self._picture.close()

    @cached_property
    def _first_frame(self) -> int:
        """The frame of the first page. It is found without the others, which may be damaged."""
        return next(_tiff_pages(self._picture), 0) if self._picture.format == "TIFF" else 0

    @cached_property
    def _frames(self) -> Sequence[int]:
        frames = self._list_frames()
        if len(frames) > self._max_pages:
            raise DataError(f"{self._label} has more than {self._max_pages:,} pages", "split it into several files")
        return frames

    def _list_frames(self) -> Sequence[int]:
        if self._picture.format == "TIFF":
            # A chain of a million empty pages fits into a small file, so it is not followed to its end.
            return list(islice(_tiff_pages(self._picture), self._max_pages + 1)) or [0]
        if self._picture.format in _WITH_PAGES:
            return range(getattr(self._picture, "n_frames", 1))
        return range(1)


def _tiff_pages(picture: Image.Image) -> Iterator[int]:
    """Yield the frames of a TIFF that are pages: neither a smaller copy of a page nor a mask."""
    frame = 0
    while True:
        try:
            picture.seek(frame)
        except EOFError:
            return
        if not picture.tag_v2.get(_SUBFILE_TYPE, 0) & _REDUCED_OR_MASK:  # type: ignore[attr-defined]
            yield frame
        frame += 1
