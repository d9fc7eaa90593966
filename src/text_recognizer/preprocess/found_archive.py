"""Write lines that were found on pages as an archive in the layout of IAM: white sheets with straight strips."""

import re
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from html import escape
from pathlib import Path
from xml.etree import ElementTree

import numpy as np

from text_recognizer.corpora.iam import SCAN_DPI, SPLITS
from text_recognizer.corpora.left_out import LIST_FILE, PICTURES, LeftOutLine, list_as_bytes
from text_recognizer.pages.normalisation import PAPER
from text_recognizer.pages.strips import MARGIN, STRIP_DPI, STRIP_HEIGHT
from text_recognizer.preprocess.line_canvases import LabelledStrip, from_png, narrow, to_png

SHEET_LINES = 12  # strips on a sheet: as many as a canvas of 1152 px at 150 dpi, or of 576 px at 75 dpi, has room for
SHEET_WIDTH = 1264  # pixels: with a margin of 8, those of such a canvas
INSET = 8  # pixels of a strip above and below the box of its line
SCALE = SCAN_DPI // STRIP_DPI


class FoundArchive:
    """An archive that is written, of the source with this name. A form is a sheet of at most SHEET_LINES strips."""

    def __init__(self, archive: zipfile.ZipFile, source: str) -> None:
        self._archive = archive
        self._source = source
        self._parts: dict[str, list[str]] = {part: [] for part in SPLITS}
        self._used: set[str] = set()
        self._left_out: list[LeftOutLine] = []

    @property
    def num_sheets(self) -> int:
        """The number of sheets that were added."""
        return sum(map(len, self._parts.values()))

    def add_sheets(self, name: str, part: str, strips: Sequence[LabelledStrip]) -> None:
        """Add strips of a part of the split on as many sheets as they need, whose ids have the name in them."""
        for start in range(0, len(strips), SHEET_LINES):
            on_sheet = strips[start : start + SHEET_LINES]
            sheet_id = self._new_id(f"{self._source}-{re.sub('[^A-Za-z0-9_.]', '_', name)}")
            sheet = _stacked(on_sheet)
            self._add(f"forms/{sheet_id}.png", to_png(sheet), zipfile.ZIP_STORED)
            self._add(f"xml/{sheet_id}.xml", _labels(sheet_id, self._writer(sheet_id, on_sheet), sheet, on_sheet))
            self._parts[part].append(sheet_id)

    def add_left_out(self, rows: Sequence[LeftOutLine]) -> None:
        """Add to the list of what is left out."""
        self._left_out += rows

    def add_picture(self, jpeg: bytes) -> str:
        """Add the small picture of a page with lines that are left out. Return its name."""
        name = f"{PICTURES}/{len(self._used):05}-{len(self._left_out):06}.jpg"
        self._archive.writestr(_member(name, zipfile.ZIP_STORED), jpeg)
        return name

    def finish(self) -> None:
        """Write the lists."""
        for part, ids in self._parts.items():
            self._add(f"aachen/{part}.txt", "".join(f"{sheet_id}\n" for sheet_id in ids).encode())
        self._archive.writestr(_member(LIST_FILE), list_as_bytes(self._left_out))

    def _new_id(self, name: str) -> str:
        """Return an id that no sheet has: two parts joined by a dash, as the ids of IAM's forms."""
        number, sheet_id = 1, name
        while sheet_id in self._used:
            number += 1
            sheet_id = f"{name}_{number}"
        self._used.add(sheet_id)
        return sheet_id

    def _writer(self, sheet_id: str, strips: Sequence[LabelledStrip]) -> str:
        """Return the writer of the strips, with the source before it; the sheet itself if there are several."""
        writers = {strip.writer for strip in strips}
        return f"{self._source}: {writers.pop()}" if len(writers) == 1 else sheet_id

    def _add(self, name: str, content: bytes, method: int = zipfile.ZIP_DEFLATED) -> None:
        self._archive.writestr(_member(f"iamdb/{name}", method), content)


@contextmanager
def found_archive(out: Path, source: str) -> Iterator[FoundArchive]:
    """Yield an archive to add to. Its lists are written at the end."""
    with zipfile.ZipFile(out, "w") as archive:
        writer = FoundArchive(archive, source)
        yield writer
        writer.finish()


def _member(name: str, method: int = zipfile.ZIP_DEFLATED) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)  # dated 1980, so that the bytes do not depend on the time
    info.compress_type, info.external_attr = method, 0o644 << 16
    return info


def _stacked(strips: Sequence[LabelledStrip]) -> np.ndarray:
    """Return a white sheet, uint8 grey (H, W), with the strips below each other."""
    pictures = [narrow(from_png(strip.png), SHEET_WIDTH) for strip in strips]
    sheet = np.full((STRIP_HEIGHT * len(strips), max(picture.shape[1] for picture in pictures)), PAPER, dtype=np.uint8)
    for row, picture in enumerate(pictures):
        sheet[row * STRIP_HEIGHT : (row + 1) * STRIP_HEIGHT, : picture.shape[1]] = picture
    return sheet


def _labels(sheet_id: str, writer: str, sheet: np.ndarray, strips: Sequence[LabelledStrip]) -> bytes:
    """Return the XML of a sheet, with the boxes of its lines in pixels of a scan of 300 dpi."""
    height, width = sheet.shape
    size = {"width": str(width * SCALE), "height": str(height * SCALE)}
    root = ElementTree.Element("form", {"id": sheet_id, "writer-id": writer, **size})
    part = ElementTree.SubElement(root, "handwritten-part")
    for row, strip in enumerate(strips):
        # IAM escapes texts twice; the XML writer does it the second time.
        line = ElementTree.SubElement(part, "line", {"id": f"{sheet_id}-{row:02}", "text": escape(strip.text)})
        length = min(strip.width, SHEET_WIDTH) - 2 * MARGIN
        box = {
            "x": MARGIN * SCALE,
            "y": (row * STRIP_HEIGHT + INSET) * SCALE,
            "width": max(1, length) * SCALE,
            "height": (STRIP_HEIGHT - 2 * INSET) * SCALE,
        }
        word = ElementTree.SubElement(line, "word")
        ElementTree.SubElement(word, "cmp", {key: str(value) for key, value in box.items()})
    document: bytes = ElementTree.tostring(root, encoding="UTF-8", xml_declaration=True)
    return document
