"""The pages of a file as PNG files, for readers that open pictures only."""

from contextlib import closing
from pathlib import Path

import pypdfium2 as pdfium
from PIL import Image

from text_recognizer.pages.file_errors import decoding
from text_recognizer.pages.opening import MAX_PIXELS, open_pages
from text_recognizer.pages.pdf_pages import is_pdf

PDF_DPI = 200
POINTS_PER_INCH = 72


def write_pictures(path: Path, folder: Path) -> tuple[Path, ...]:
    """Write each page of a file as a PNG in `folder`, and return their paths.

    A picture has its own pixels, turned as its EXIF orientation says. The pages of a PDF are drawn at PDF_DPI.

    Raises DataError if a picture cannot be opened.
    """
    if is_pdf(path):
        return _draw_pdf(path, folder)
    written = []
    for page in open_pages(path):
        target = folder / f"{page.number}.png"
        Image.fromarray(page.rgb).save(target, compress_level=1)
        written.append(target)
    return tuple(written)


def _draw_pdf(path: Path, folder: Path) -> tuple[Path, ...]:
    """Draw the pages with PDFium alone, filled-in fields too. Our own reader draws scans at their own resolution."""
    targets = []
    with decoding(str(path), MAX_PIXELS), closing(pdfium.PdfDocument(path)) as document:
        document.init_forms()
        for number in range(len(document)):
            target = folder / f"{number + 1}.png"
            picture = document[number].render(scale=PDF_DPI / POINTS_PER_INCH).to_pil()
            picture.convert("RGB").save(target, compress_level=1)
            targets.append(target)
    return tuple(targets)
