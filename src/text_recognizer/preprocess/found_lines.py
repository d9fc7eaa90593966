"""Find the lines of pages in any format, and write them as forms in the layout of IAM.

So one layout is validated, packed and scored, whatever format the pages came in.
"""

import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from text_recognizer.core.data_params import SourceEntry
from text_recognizer.core.errors import DataError
from text_recognizer.corpora.corpus_base import Corpus
from text_recognizer.corpora.corpus_splits import Parts, split_corpus
from text_recognizer.corpora.iam import SPLITS
from text_recognizer.corpora.left_out import LeftOutLine
from text_recognizer.preprocess.found_archive import SHEET_LINES, SHEET_WIDTH, FoundArchive, found_archive
from text_recognizer.preprocess.line_canvases import LabelledStrip
from text_recognizer.preprocess.line_packing import PackedPart, ReadPage, add_page
from text_recognizer.preprocess.line_sources import LinePage, corpus_page
from text_recognizer.utils.files import replace_atomically

SHOWN_WIDTH, SHOWN_QUALITY = 320, 70  # of the picture of a page with lines that are left out, in pixels and percent
UNUSABLE = "the page cannot be used"


@dataclass
class FoundLines:
    """What was found on the pages of a source: counts of pages, sheets and lines, and the reasons of what is left out.

    `unlisted` is the number of pages that are in no part of the split.
    """

    name: str
    num_pages: int = 0
    num_sheets: int = 0
    num_lines: int = 0
    unlisted: int = 0
    left_out: Counter[str] = field(default_factory=Counter)

    def summary(self) -> str:
        """Return the counts, and those of the lines left out for each reason."""
        unlisted = f"; {self.unlisted} pages are in no list" if self.unlisted else ""
        head = f"{self.name}: {self.num_lines} lines of {self.num_pages} pages on {self.num_sheets} sheets{unlisted}"
        return "\n".join([head, *(f"  left out {count}: {reason}" for reason, count in self.left_out.most_common())])


def write_found_lines(corpus: Corpus, entry: SourceEntry, read: ReadPage, out: Path) -> FoundLines:
    """Write the zip `out` with the lines that are found on the pages of a corpus, in the parts of its split.

    What is left out is listed in the zip, with a picture of its page. Raises DataError if the corpus has no such split,
    or no line is found.
    """
    parts = split_corpus(corpus, entry.split)
    listed = {page_id for ids in parts.values() for page_id in ids}
    found = FoundLines(entry.label, num_pages=len(listed), unlisted=len(set(corpus.ids) - listed))
    with replace_atomically(out) as draft, found_archive(draft, entry.label) as archive:
        _find_all(corpus, parts, read, archive, found)
        found.num_sheets = archive.num_sheets
        if not found.num_lines:
            reason = next(iter(found.left_out), "its split has no pages")
            raise DataError(f"no line was found in {entry.address} with its text: {reason}", "check texts and pictures")
    return found


def _find_all(corpus: Corpus, parts: Parts, read: ReadPage, archive: FoundArchive, found: FoundLines) -> None:
    """Add the lines of all pages to the archive, and count them. Pictures of single lines share sheets."""
    single: dict[tuple[str, str], list[LabelledStrip]] = defaultdict(list)
    for part, page_id in _listed(parts, found.name):
        try:
            page = corpus_page(corpus, page_id)
        except DataError as error:
            found.left_out[UNUSABLE] += 1
            archive.add_left_out([LeftOutLine(page_id, part, None, error.what)])
            continue
        lines = PackedPart()
        add_page(lines, page_id, page, read, SHEET_WIDTH)
        found.num_lines += len(lines.strips)
        _add_left_out(archive, page_id, part, page, lines)
        found.left_out.update(str(one.reason) for one in lines.left_out)
        if not page.shows_one_line:
            archive.add_sheets(page_id, part, lines.strips)
            continue
        writer = page.writer if page.writer != page_id else ""
        single[part, writer] += lines.strips
        if len(single[part, writer]) >= SHEET_LINES:
            archive.add_sheets(writer or "lines", part, single.pop((part, writer)))
    for (part, writer), strips in single.items():
        archive.add_sheets(writer or "lines", part, strips)


def _listed(parts: Parts, name: str) -> Iterator[tuple[str, str]]:
    """Yield the part and the id of each page, with a progress bar."""
    listed = [(part, page_id) for part in SPLITS for page_id in parts.get(part, ())]
    return iter(tqdm(listed, desc=f"{name}: find lines", unit="page", file=sys.stderr))


def _add_left_out(archive: FoundArchive, page_id: str, part: str, page: LinePage, lines: PackedPart) -> None:
    rows = [LeftOutLine(page_id, part, one.text, str(one.reason)) for one in lines.left_out]
    if rows:
        name = archive.add_picture(_small(page.rgb))
        archive.add_left_out([replace(row, picture=name) for row in rows])


def _small(rgb: np.ndarray) -> bytes:
    """Return a small JPEG of a page, uint8 RGB (H, W, 3)."""
    height = max(1, round(rgb.shape[0] * SHOWN_WIDTH / rgb.shape[1]))
    grey = cv2.cvtColor(cv2.resize(rgb, (SHOWN_WIDTH, height), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    return cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, SHOWN_QUALITY])[1].tobytes()
