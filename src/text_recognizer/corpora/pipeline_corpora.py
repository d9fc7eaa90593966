"""What the pipeline itself holds as transcribed pages: packed splits, and corrections."""

import io
import json
from pathlib import Path
from typing import ClassVar

import numpy as np
from PIL import Image

from text_recognizer.core.charset import NEWLINE
from text_recognizer.core.errors import DataError
from text_recognizer.corpora import corrections
from text_recognizer.corpora.corpus_base import Corpus, Format, require_known
from text_recognizer.corpora.file_trees import FileTree, FolderTree
from text_recognizer.corpora.iam import SPLITS
from text_recognizer.corpora.iam_corpus import page_of_form
from text_recognizer.corpora.packed_pages import PackedPage, PackedSplit
from text_recognizer.corpora.transcribed_pages import LabelledLine, PagePicture, TranscribedPage


class PackedCorpus(Corpus):
    """The canvases of packed splits. The ids of pages begin with the name of their split."""

    format: ClassVar[Format] = "packed"

    def __init__(self, folder: Path) -> None:
        """Open the splits of a folder. Raises DataError if one is damaged."""
        super().__init__(folder)
        self._splits = {part: PackedSplit.open(folder, part) for part in SPLITS if (folder / f"{part}.npy").is_file()}
        self._places = {
            f"{part}/{page.id}": (part, index)
            for part, split in self._splits.items()
            for index, page in enumerate(split.pages)
        }

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of all pages."""
        return tuple(self._places)

    def page(self, page_id: str) -> TranscribedPage:
        """Return a page: the part of a canvas that is not padding."""
        require_known(page_id, self._places, self.address)
        part, index = self._places[page_id]
        split = self._splits[part]
        page = split.pages[index]
        width, height = page.size if min(page.size) > 0 else split.canvases.shape[:0:-1]
        picture = PagePicture(
            f"{page.id}.png", f"{self.address}: {page_id}", lambda: _png(split.canvases[index][:height, :width])
        )
        return TranscribedPage(page_id, page.writer or page_id, picture, _packed_lines(page), (width, height))

    def own_parts(self) -> dict[str, tuple[str, ...]]:
        """Return the ids in each split."""
        return {part: tuple(one for one in self._places if self._places[one][0] == part) for part in self._splits}


class CorrectionCorpus(Corpus):
    """The corrections in a folder."""

    format: ClassVar[Format] = "corrections"

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._names = tuple(corrections.list_ids(folder))

    @property
    def ids(self) -> tuple[str, ...]:
        """The names of all corrections."""
        return self._names

    def page(self, page_id: str) -> TranscribedPage:
        """Return a corrected page. Raises DataError if it is not valid."""
        correction = corrections.read(self.address, page_id)
        label = f"{self.address}: {page_id}"
        picture = PagePicture(f"{page_id}.png", label, lambda: _png(correction.picture))
        return page_of_form(page_id, correction.form, picture)


def is_packed(address: Path) -> bool:
    """Return whether a folder holds packed splits."""
    return any((address / f"{part}.npy").is_file() and (address / f"{part}.jsonl").is_file() for part in SPLITS)


def has_corrections(files: FileTree) -> bool:
    """Return whether a folder holds corrections."""
    return isinstance(files, FolderTree) and any(
        _is_correction(files, name) for name in files.with_suffix(".json") if "/" not in name
    )


def _is_correction(files: FileTree, name: str) -> bool:
    try:
        record = json.loads(files.read(name))
    except (DataError, ValueError, RecursionError):
        return False
    return isinstance(record, dict) and {"made", "model", "lines"} <= record.keys()


def _packed_lines(page: PackedPage) -> tuple[LabelledLine, ...]:
    """Return the lines of a packed page, with their boxes if each has one."""
    texts = page.text.split(NEWLINE)
    if len(texts) != len(page.boxes):
        return tuple(map(LabelledLine, texts))
    return tuple(LabelledLine(text, polygon=box.corners) for text, box in zip(texts, page.boxes, strict=True))


def _png(pixels: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(stream, "PNG")
    return stream.getvalue()
