"""Find the scan on a page of a PDF, and its resolution."""

import math
from dataclasses import dataclass
from itertools import islice

import pypdfium2
import pypdfium2.raw as pdfium

from text_recognizer.core.errors import DataError

SCAN_COVERS = 0.6  # share of a page from which on its pictures are a scan. Scanners also cut a page into bands.
PICTURE_COVERS = 0.02  # smaller pictures are stamps and logos
SCAN_PIXELS = 250_000  # a page covered by less is paper texture or a plain colour
MOST_OBJECTS = 20_000  # looked at on a page; a page with so many is drawn, not scanned
PICTURE_LIMIT = 4  # times the pixels of a page. PDFium decodes a picture before it scales it down.


@dataclass(frozen=True)
class ScanScale:
    """The resolution of a page's scan in pixels per point, 0 without one; and whether something is drawn beside it."""

    scale: float
    has_drawing: bool


def scan_scale(page: pypdfium2.PdfPage, label: str, max_pixels: int) -> ScanScale:
    """Find the pictures that cover a page. The finest of them gives the scale.

    Text that is not visible, which programs lay over a scan to make it searchable, does not count as drawing.

    Raises:
        DataError: a picture on the page has more than PICTURE_LIMIT times `max_pixels` pixels.
    """
    area = page.get_width() * page.get_height()
    covered, scale, has_drawing = 0.0, 0.0, False
    for item in islice(page.get_objects(), MOST_OBJECTS):
        if not isinstance(item, pypdfium2.PdfImage):
            has_drawing = has_drawing or _is_drawing(item)
            continue
        width, height = item.get_px_size()
        if width * height > PICTURE_LIMIT * max_pixels:
            raise DataError(f"{label} holds a picture of {width:,} by {height:,} pixels", "scan it at 300 dpi or less")
        share, own_scale = _placement(item, width, height, area)
        if share >= PICTURE_COVERS:
            covered, scale = covered + min(share, 1.0), max(scale, own_scale)
    if covered < SCAN_COVERS or area * scale**2 < SCAN_PIXELS:
        return ScanScale(0.0, has_drawing=True)
    return ScanScale(scale, has_drawing)


def _is_drawing(item: pypdfium2.PdfObject) -> bool:
    if isinstance(item, pypdfium2.PdfTextObj):
        return bool(pdfium.FPDFTextObj_GetTextRenderMode(item) != pdfium.FPDF_TEXTRENDERMODE_INVISIBLE)
    return bool(item.type in (pdfium.FPDF_PAGEOBJ_PATH, pdfium.FPDF_PAGEOBJ_SHADING))


def _placement(picture: pypdfium2.PdfImage, width: int, height: int, page_area: float) -> tuple[float, float]:
    """Return the share of the page that a picture covers, and its resolution in pixels per point."""
    matrix, container = picture.get_matrix(), picture.container
    while container is not None:
        matrix, container = matrix.multiply(container.get_matrix()), container.container
    across, down = math.hypot(matrix.a, matrix.b), math.hypot(matrix.c, matrix.d)
    if not (0 < across < math.inf and 0 < down < math.inf):
        return 0.0, 0.0
    share = abs(matrix.a * matrix.d - matrix.b * matrix.c) / page_area
    return share, max(width / across, height / down)
