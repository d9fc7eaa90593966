"""Open any file of pages, picture or PDF, as pixels."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from text_recognizer.core.errors import DataError
from text_recognizer.pages.file_errors import decoding, too_large
from text_recognizer.pages.page_selection import PageSelection
from text_recognizer.pages.pdf_pages import PdfFile, is_pdf
from text_recognizer.pages.pixel_modes import Mode
from text_recognizer.pages.raster_pages import FORMATS, RasterFile, is_picture

__all__ = ["FORMATS", "MAX_PAGES", "MAX_PIXELS", "OpenedPage", "is_page_file", "open_pages", "open_picture"]

MAX_PIXELS = 60_000_000  # of a page
MAX_PAGES = 1_000  # read from a file


@dataclass(frozen=True, eq=False)
class OpenedPage:
    """A page of a file: uint8 pixels `rgb` (H, W, 3), upright; its `number`, from 1; how many pages the file has."""

    rgb: np.ndarray
    number: int
    count: int
    name: str


class _PageFile(Protocol):
    """A file that is open. Pages are counted from 0."""

    @property
    def count(self) -> int: ...
    def size(self, page: int) -> tuple[int, int]: ...
    def pixels(self, page: int, mode: Mode) -> np.ndarray: ...
    def close(self) -> None: ...


def open_pages(
    source: Path | bytes, name: str = "the file", pages: PageSelection | Sequence[int] | None = None
) -> Iterator[OpenedPage]:
    """Open a file, or its bytes, and yield its pages one after the other. Only one is in memory at a time.

    Pages are the pages of a TIFF or a PDF, and the frames of a WebP, a GIF, a HEIC or an AVIF. They come in the order
    of the file. `pages` selects some, counted from 1. `name` stands for the file in errors if `source` is bytes.

    Raises:
        DataError: the file is missing, of an unknown format, damaged, or protected by a password; it has no such page,
            a page of more than MAX_PIXELS pixels, or more than MAX_PAGES pages.
    """
    label = str(source) if isinstance(source, Path) else name
    with decoding(label, MAX_PIXELS):
        file = _open(source, label)
    with closing(file):
        with decoding(label, MAX_PIXELS):
            count = file.count
            numbers = _select(pages, count, label)
        for number in numbers:
            # The page is not kept in a variable here: its reader decides how long it lives.
            title = f"{label}, page {number}" if count > 1 else label
            yield OpenedPage(_read(file, number - 1, title), number, count, label)


def open_picture(source: Path | bytes, name: str = "the picture") -> np.ndarray:
    """Open the first page of a file, or its bytes, as uint8 grey (H, W).

    The picture is rotated as its EXIF orientation says, and transparent pixels become white. `name` stands for the
    picture in errors if `source` is bytes.

    Raises:
        DataError: the file is missing, of an unknown format, damaged, or has more than MAX_PIXELS pixels.
    """
    label = str(source) if isinstance(source, Path) else name
    with decoding(label, MAX_PIXELS), closing(_open(source, label)) as file:
        _require_size(file, 0, label)
        return _to_grey(file)


def is_page_file(data: bytes) -> bool:
    """Return whether these bytes begin like a file that can be opened. It may still be damaged."""
    return is_pdf(data) or is_picture(data)


def _open(source: Path | bytes, label: str) -> _PageFile:
    if is_pdf(source):
        return PdfFile(source, label, MAX_PIXELS)
    return RasterFile(source, label, MAX_PAGES)


def _select(pages: PageSelection | Sequence[int] | None, count: int, label: str) -> Sequence[int]:
    """Return the numbers of the pages to read, from 1."""
    if pages is not None:
        selection = pages if isinstance(pages, PageSelection) else PageSelection.of(pages)
        numbers: Sequence[int] = selection.numbers(count, label)
    else:
        numbers = range(1, count + 1)
    if len(numbers) > MAX_PAGES:
        raise DataError(f"{label} has {len(numbers):,} pages to read", f"select at most {MAX_PAGES:,} pages at a time")
    return numbers


def _read(file: _PageFile, page: int, label: str) -> np.ndarray:
    with decoding(label, MAX_PIXELS):
        _require_size(file, page, label)
        return file.pixels(page, "RGB")


def _to_grey(file: _PageFile) -> np.ndarray:
    return file.pixels(0, "L")


def _require_size(file: _PageFile, page: int, label: str) -> None:
    """Raise DataError if a page has too many pixels. Nothing of it is decoded."""
    width, height = file.size(page)
    if width * height > MAX_PIXELS:
        raise too_large(label, MAX_PIXELS)
