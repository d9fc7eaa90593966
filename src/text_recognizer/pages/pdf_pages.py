"""Draw the pages of a PDF as pixels. The pixels of a scan are kept as they are."""

import math
import threading
from pathlib import Path

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium
from PIL import Image

from text_recognizer.core.errors import DataError
from text_recognizer.pages.pdf_scans import scan_scale
from text_recognizer.pages.pixel_modes import Mode

DRAWN_SCALE = 200 / 72  # pixels per point of a page that is no scan: 200 dpi
DRAWN_PIXELS = 16_000_000  # the most for such a page: A2 at 200 dpi. Larger pages have larger writing.
_HEAD = 1024  # readers of PDF accept other bytes before the header, up to here

# PDFium must not be called by two threads at once. The lock is reentrant because a file may be closed by the garbage
# collector, which runs at any time.
PDFIUM_LOCK = threading.RLock()


def is_pdf(source: Path | bytes) -> bool:
    """Return whether a file, or its bytes, begins like a PDF."""
    if isinstance(source, bytes):
        return b"%PDF-" in source[:_HEAD]
    with source.open("rb") as stream:
        return b"%PDF-" in stream.read(_HEAD)


class PdfFile:
    """A PDF that is open. Its pages are drawn one at a time. Pages are counted from 0."""

    def __init__(self, source: Path | bytes, label: str, max_pixels: int) -> None:
        self._label = label
        self._max_pixels = max_pixels
        self._loaded: tuple[int, pypdfium2.PdfPage, float] | None = None
        with PDFIUM_LOCK:
            self._document = _open(source, label)
            self._count = len(self._document)

    @property
    def count(self) -> int:
        """The number of pages."""
        return self._count

    def size(self, page: int) -> tuple[int, int]:
        """Return the width and the height in which a page is drawn, in pixels."""
        with PDFIUM_LOCK:
            loaded, scale = self._load(page)
            return math.ceil(loaded.get_width() * scale), math.ceil(loaded.get_height() * scale)

    def pixels(self, page: int, mode: Mode) -> np.ndarray:
        """Draw a page on white, as uint8 pixels, upright."""
        with PDFIUM_LOCK:
            loaded, scale = self._load(page)
            bitmap = loaded.render(scale, rev_byteorder=True, limit_image_cache=True)
            # The pixels belong to Python and outlive the bitmap.
            rgb: np.ndarray = bitmap.to_numpy()
            bitmap.close()
            self._unload()
        return rgb if mode == "RGB" else np.asarray(Image.fromarray(rgb).convert("L"))

    def close(self) -> None:
        """Close the file."""
        with PDFIUM_LOCK:
            self._unload()
            self._document.close()

    def _load(self, number: int) -> tuple[pypdfium2.PdfPage, float]:
        """Return a page and its scale. The page stays in memory until it is drawn, or another one is loaded."""
        if self._loaded is None or self._loaded[0] != number:
            self._unload()
            page = self._document[number]
            self._loaded = number, page, self._scale(page)
        return self._loaded[1:]

    def _unload(self) -> None:
        if self._loaded is not None:
            self._loaded[1].close()
            self._loaded = None

    def _scale(self, page: pypdfium2.PdfPage) -> float:
        """Return the pixels per point in which to draw a page.

        Raises:
            DataError: the page has no area, or holds a picture that is far too large.
        """
        area = page.get_width() * page.get_height()
        if not (0 < area < math.inf):
            raise DataError(f"{self._label} has a page without a size", "save it as a PDF again")
        scan = scan_scale(page, self._label, self._max_pixels)
        wanted = scan.scale
        if scan.has_drawing:
            wanted = max(wanted, min(DRAWN_SCALE, math.sqrt(DRAWN_PIXELS / area)))
        # Sizes are rounded up: a little less keeps a scan at its own width, and a large page below the limit.
        return min(wanted * (1 - 1e-7), math.sqrt(self._max_pixels / area) * (1 - 1e-3))


def _open(source: Path | bytes, label: str) -> pypdfium2.PdfDocument:
    try:
        document = pypdfium2.PdfDocument(source)
        document.init_forms()
    except pypdfium2.PdfiumError as error:
        if error.err_code == pdfium.FPDF_ERR_PASSWORD:
            raise DataError(f"{label} is protected by a password", "save a copy without the password") from None
        fix = "save it as a PDF again, or give its pages as PNG or JPEG"
        raise DataError(f"{label} is a PDF that cannot be opened", fix) from None
    return document
