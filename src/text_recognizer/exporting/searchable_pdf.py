"""A searchable PDF: the picture of a page, and behind it the text that was read, invisible, word by word.

The text uses the font `assets/invisible.ttf`. It has one glyph, a box half an em wide and one em high, of which a
quarter is below the baseline. The text render mode 3 draws none of it; viewers use the box to mark selected text. Every
character has that glyph, and a table says which character it stands for. So all of Unicode can be searched and copied,
without the megabytes of a real font. Tesseract's PDFs have such a font too.
"""

import ctypes
import io
import math
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c
from PIL import Image

from text_recognizer.core import schemas
from text_recognizer.core.errors import TextRecognizerError
from text_recognizer.core.geometry import Box
from text_recognizer.exporting.page_outlines import segment, words
from text_recognizer.exporting.picture_source import PictureSource
from text_recognizer.exporting.xml_documents import allowed
from text_recognizer.pages.pdf_pages import PDFIUM_LOCK

FONT = Path(__file__).parent / "assets" / "invisible.ttf"
ADVANCE = 0.5  # width of the font's glyph, in em
POINTS_PER_INCH = 72
LONG_SIDE = 842  # length of the longer side in points, as on A4, if the resolution is unknown
JPEG_QUALITY = 85
# Character codes are UTF-16 code units, and each of them stands for itself.
TO_UNICODE = b"""/CIDInit /ProcSet findresource begin
12 dict begin
begincmap
/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def
/CMapName /Adobe-Identity-UCS def
/CMapType 2 def
1 begincodespacerange
<0000> <FFFF>
endcodespacerange
1 beginbfrange
<0000> <FFFF> <0000>
endbfrange
endcmap
CMapName currentdict /CMap defineresource pop
end
end
"""
NUM_CODES = 1 << 16


class PlacedWord(NamedTuple):
    """A word on a sheet whose origin is at the bottom left: text, start and end of its baseline, height, in points."""

    text: str
    start: tuple[float, float]
    end: tuple[float, float]
    height: float


def searchable_pdf(page: schemas.Page, source: PictureSource) -> bytes:
    """Return a PDF of one page. Its size follows the resolution of the picture; without one it is as long as A4.

    Raises TextRecognizerError if `source` has no pixels.
    """
    if source.pixels is None:
        raise TextRecognizerError(f"{source.name}: a PDF needs the picture", "give its pixels")
    width, height = source.pixels.shape[1], source.pixels.shape[0]
    scale = POINTS_PER_INCH / source.dpi if source.dpi else LONG_SIDE / max(width, height)
    with PDFIUM_LOCK, closing(pdfium.PdfDocument.new()) as document:
        sheet = document.new_page(width * scale, height * scale)
        _add_picture(document, sheet, source.pixels)
        _add_text(document, sheet, _placed_words(page, scale, height))
        sheet.set_rotation(page.turn)
        sheet.gen_content()
        return _saved(document)


def join_pdfs(parts: Sequence[bytes]) -> bytes:
    """Join PDFs to one, in order."""
    with PDFIUM_LOCK, closing(pdfium.PdfDocument.new()) as joined:
        for part in parts:
            with closing(pdfium.PdfDocument(part)) as document:
                joined.import_pages(document)
        return _saved(joined)


def _add_picture(document: pdfium.PdfDocument, sheet: pdfium.PdfPage, pixels: np.ndarray) -> None:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=JPEG_QUALITY)
    stream.seek(0)
    picture = pdfium.PdfImage.new(document)
    picture.load_jpeg(stream, inline=True)
    picture.set_matrix(pdfium.PdfMatrix().scale(*sheet.get_size()))
    sheet.insert_obj(picture)


def _placed_words(page: schemas.Page, scale: float, height: int) -> list[PlacedWord]:
    """Return all words of a page of pixels, `height` high, on its sheet. Empty words are left out."""
    placed = []
    for line in page.lines:
        for word in words(line):
            (left, top), (right, bottom) = segment(line, word.box)
            start, end = (left * scale, (height - top) * scale), (right * scale, (height - bottom) * scale)
            if word.text.strip() and start != end:
                placed.append(PlacedWord(allowed(word.text), start, end, _thickness(line, word.box) * scale))
    return placed


def _thickness(line: schemas.Line, box: Box) -> int:
    """Return the height of a word across its line, in pixels."""
    (left, top), (right, bottom) = segment(line, box)
    return max(box.height if abs(right - left) >= abs(bottom - top) else box.width, 1)


def _add_text(document: pdfium.PdfDocument, sheet: pdfium.PdfPage, placed: Sequence[PlacedWord]) -> None:
    font = _load_font(document)
    for word in placed:
        codes = np.frombuffer(f"{word.text} ".encode("utf-16-le"), dtype="<u2")
        text = pdfium_c.FPDFPageObj_CreateTextObj(document, font, word.height)
        pdfium_c.FPDFText_SetCharcodes(text, (ctypes.c_uint32 * len(codes))(*codes.tolist()), len(codes))
        pdfium_c.FPDFTextObj_SetTextRenderMode(text, pdfium_c.FPDF_TEXTRENDERMODE_INVISIBLE)
        pdfium_c.FPDFPageObj_Transform(text, *_matrix(word, len(codes) - 1))
        pdfium_c.FPDFPage_InsertObject(sheet, text)
    pdfium_c.FPDFFont_Close(font)


def _matrix(word: PlacedWord, count: int) -> tuple[float, float, float, float, float, float]:
    """Return the matrix that lays `count` glyphs along the baseline of a word and stretches them to its length."""
    run, rise = word.end[0] - word.start[0], word.end[1] - word.start[1]
    length = math.hypot(run, rise)
    stretch = length / (count * ADVANCE * word.height)
    cosine, sine = run / length, rise / length
    return stretch * cosine, stretch * sine, -sine, cosine, *word.start


def _load_font(document: pdfium.PdfDocument) -> "pdfium_c.FPDF_FONT":
    font = FONT.read_bytes()
    data = (ctypes.c_uint8 * len(font)).from_buffer_copy(font)
    glyphs = (ctypes.c_uint8 * (2 * NUM_CODES))()  # glyph 0 for every code
    return pdfium_c.FPDFText_LoadCidType2Font(document, data, len(font), TO_UNICODE, glyphs, len(glyphs))


def _saved(document: pdfium.PdfDocument) -> bytes:
    stream = io.BytesIO()
    document.save(stream)
    return stream.getvalue()
