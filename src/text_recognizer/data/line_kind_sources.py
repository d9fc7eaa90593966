"""Pages whose lines are known to be handwritten or printed, and pictures without text, to train the line classifier.

The split of each source is its own: the Aachen split of an IAM archive, `train.list` and `validation.list` of a folder
of pages. Pictures and fonts are split by the digest of their name.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np

from text_recognizer.core.errors import DataError
from text_recognizer.core.geometry import Box
from text_recognizer.corpora.iam import IamArchive
from text_recognizer.corpora.opening_corpora import open_corpus
from text_recognizer.corpora.page_lists import PICTURE_SUFFIXES
from text_recognizer.corpora.transcribed_pages import LabelledLine
from text_recognizer.inference.line_kind import NONE, PRINTED, WRITTEN
from text_recognizer.pages.opening import open_pages, open_picture

HELD_OUT_SHARE = 10  # one picture or font in so many is for validation
IAM_LIST = "aachen"
CLEAR = 60  # pixels at 300 dpi between the print and the handwriting of a form
HEAD = 0.15  # the share of a page of a letter that may hold a printed head
MIN_HEAD_LETTERS = 4
MIN_SIDE, MAX_SIDE = 64, 2000  # pixels of a picture
MAX_PART = 800  # pixels along the sides of the part of a picture that is used
Name = TypeVar("Name", str, Path)


@dataclass(frozen=True)
class KindPage:
    """A page, uint8 grey (H, W), and the zones where all lines are of one kind. The first zone that fits counts."""

    name: str
    grey: np.ndarray
    zones: tuple[tuple[Box, int], ...]

    def kind_at(self, x: float, y: float) -> int | None:
        """Return the kind of a line with this centre; None if it is unknown."""
        for box, kind in self.zones:
            if box.x <= x < box.right and box.y <= y < box.bottom:
                return kind
        return None


def corpus_pages(folder: Path, split: str, count: int) -> Iterator[KindPage]:
    """Yield up to `count` pages of a folder, spread over its list, so that there are many writers.

    The folder holds an IAM archive `iamdb.zip`, or pictures that are named in `<split>.list`. If a picture has a PAGE
    XML beside it, only the lines in it count; else all lines are handwritten. Raises DataError if the folder holds
    neither.
    """
    if (folder / "iamdb.zip").is_file():
        yield from _iam_pages(folder / "iamdb.zip", split, count)
        return
    with open_corpus(folder) as corpus:
        if (lists := corpus.lists()).get(split) is None:
            raise DataError(f"{folder} holds neither iamdb.zip nor {split}.list", "name the folder of a corpus")
        for page_id in spread(lists[split], count):
            page = corpus.page(page_id)
            grey = page.picture.open_grey()
            lines = page.fitted(grey.shape[1], grey.shape[0]).lines
            labelled = corpus.format in ("page", "alto")
            zones = tuple(_letter_zones(lines, len(grey))) if labelled else ((_whole(grey), WRITTEN),)
            yield KindPage(f"{folder.name}/{page_id}", grey, zones)


def picture_pages(folder: Path, split: str, count: int) -> Iterator[KindPage]:
    """Yield up to `count` pictures below a folder that hold no text; of a large one a part of at most MAX_PART pixels.

    Pictures that cannot be read are skipped.
    """
    for path in spread(files_of_split(folder, PICTURE_SUFFIXES, split), count):
        try:
            grey = open_picture(path)
        except DataError:
            continue
        step = -(-max(grey.shape) // MAX_SIDE)
        grey = _part(np.ascontiguousarray(grey[::step, ::step]), path.stem)
        if min(grey.shape) >= MIN_SIDE:
            yield KindPage(f"pictures/{path.stem}", grey, ((_whole(grey), NONE),))


def printed_pages(folder: Path, split: str, count: int) -> Iterator[KindPage]:
    """Yield the first pages, up to `count`, of each PDF below a folder: all of their lines are printed."""
    for path in files_of_split(folder, (".pdf",), split):
        for page in islice(open_pages(path), count):
            grey = cv2.cvtColor(page.rgb, cv2.COLOR_RGB2GRAY)
            yield KindPage(f"print/{path.stem}", grey, ((_whole(grey), PRINTED),))


def spread(names: Sequence[Name], count: int) -> list[Name]:
    """Return up to `count` of the names, at equal distances."""
    return [names[at] for at in np.unique(np.linspace(0, len(names) - 1, min(count, len(names))).round().astype(int))]


def files_of_split(folder: Path, suffixes: Sequence[str], split: str) -> list[Path]:
    """Return the files below a folder that belong to a split, sorted. Files of one stem up to a dash stay together."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in suffixes and path.is_file())
    return [path for path in paths if _held_out(path.stem.partition("-")[0]) == (split != "train")]


def _held_out(name: str) -> bool:
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % HELD_OUT_SHARE == 0


def _iam_pages(path: Path, split: str, count: int) -> Iterator[KindPage]:
    with IamArchive(path) as archive:
        for form_id in spread(sorted(archive.splits(IAM_LIST)[split]), count):
            form, grey = archive.form(form_id), archive.picture(form_id)
            if form.box is None:
                continue
            scale = grey.shape[0] / form.height
            top, bottom = (round(edge * scale) for edge in (form.box.y, form.box.bottom))
            clear = round(CLEAR * scale)
            width = grey.shape[1]
            zones = (
                (Box(0, top, width, bottom - top), WRITTEN),
                (Box(0, 0, width, max(0, top - clear)), PRINTED),
            )
            yield KindPage(f"iam/{form_id}", grey, zones)


def _letter_zones(lines: Iterable[LabelledLine], height: int) -> Iterator[tuple[Box, int]]:
    """Yield the lines of a letter with a text.

    Capitals at the head of a letter are its printed address; other lines there are left out.
    """
    for line in lines:
        if line.box is None or not line.text:
            continue
        if line.box.y > HEAD * height:
            yield line.box, WRITTEN
        elif line.text.isupper() and sum(map(str.isalpha, line.text)) >= MIN_HEAD_LETTERS:
            yield line.box, PRINTED


def _part(grey: np.ndarray, name: str) -> np.ndarray:
    """Return a part of a large picture, the same one for the same name; a small picture stays whole."""
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")
    top, left = (
        int(np.random.default_rng((seed, axis)).integers(0, max(1, size - MAX_PART + 1)))
        for axis, size in enumerate(grey.shape)
    )
    return np.ascontiguousarray(grey[top : top + MAX_PART, left : left + MAX_PART])


def _whole(grey: np.ndarray) -> Box:
    return Box(0, 0, grey.shape[1], grey.shape[0])
