"""Pages whose lines are known to be handwritten or printed, and pictures without text, to train the line classifier.

The split of each source is its own: the Aachen split of an IAM archive, `train.list` and `validation.list` of a folder
of pages. Pictures and fonts are split by the digest of their name.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np

from text_recognizer.core.errors import DataError
from text_recognizer.core.geometry import Box
from text_recognizer.corpora.iam import IamArchive
from text_recognizer.inference.line_kind import NONE, PRINTED, WRITTEN
from text_recognizer.pages.line_building import box_around
from text_recognizer.pages.opening import open_pages, open_picture

PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
HELD_OUT_SHARE = 10  # one picture or font in so many is for validation
IAM_LIST = "aachen"
CLEAR = 60  # pixels at 300 dpi between the print and the handwriting of a form
HEAD = 0.15  # the share of a page of a letter that may hold a printed head
MIN_HEAD_LETTERS = 4
MIN_SIDE, MAX_SIDE = 64, 2000  # pixels of a picture


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


def corpus_pages(folder: Path, split: str) -> Iterator[KindPage]:
    """Yield the pages of a folder: an IAM archive `iamdb.zip`, or pictures named in `<split>.list`.

    If a picture has a PAGE XML beside it, only the lines in it count; else all lines are handwritten.
    Raises DataError if the folder holds neither.
    """
    if (folder / "iamdb.zip").is_file():
        yield from _iam_pages(folder / "iamdb.zip", split)
        return
    names = folder / f"{split}.list"
    if not names.is_file():
        raise DataError(f"{folder} holds neither iamdb.zip nor {names.name}", "name the folder of a corpus")
    for name in names.read_text(encoding="utf-8").splitlines():
        path = folder / name if Path(name).suffix in PICTURE_SUFFIXES else folder / f"{name}.jpg"
        grey = open_picture(path)
        labels = path.with_suffix(".xml")
        zones = tuple(_letter_zones(labels, len(grey))) if labels.is_file() else ((_whole(grey), WRITTEN),)
        yield KindPage(f"{folder.name}/{path.stem}", grey, zones)


def picture_pages(folder: Path, split: str) -> Iterator[KindPage]:
    """Yield the pictures below a folder that hold no text, sorted by name. Pictures that cannot be read are skipped."""
    for path in files_of_split(folder, PICTURE_SUFFIXES, split):
        try:
            grey = open_picture(path)
        except DataError:
            continue
        step = -(-max(grey.shape) // MAX_SIDE)
        grey = np.ascontiguousarray(grey[::step, ::step])
        if min(grey.shape) >= MIN_SIDE:
            yield KindPage(f"pictures/{path.stem}", grey, ((_whole(grey), NONE),))


def printed_pages(folder: Path, split: str, count: int = 12) -> Iterator[KindPage]:
    """Yield up to `count` pages of each PDF below a folder: all of their lines are printed."""
    for path in files_of_split(folder, (".pdf",), split):
        for number, page in enumerate(open_pages(path)):
            if number >= count:
                break
            grey = cv2.cvtColor(page.rgb, cv2.COLOR_RGB2GRAY)
            yield KindPage(f"print/{path.stem}", grey, ((_whole(grey), PRINTED),))


def files_of_split(folder: Path, suffixes: Sequence[str], split: str) -> list[Path]:
    """Return the files below a folder that belong to a split, sorted. Files of one stem up to a dash stay together."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in suffixes and path.is_file())
    return [path for path in paths if _held_out(path.stem.partition("-")[0]) == (split != "train")]


def _held_out(name: str) -> bool:
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % HELD_OUT_SHARE == 0


def _iam_pages(path: Path, split: str) -> Iterator[KindPage]:
    with IamArchive(path) as archive:
        for form_id in archive.splits(IAM_LIST)[split]:
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


def _letter_zones(path: Path, height: int) -> Iterator[tuple[Box, int]]:
    """Yield the lines of a PAGE XML.

    Capitals at the head of a letter are its printed address; other lines there are left out.
    """
    for line in ElementTree.parse(path).iterfind(".//{*}TextLine"):
        coordinates = line.find("{*}Coords")
        text = "".join(line.itertext()).strip()
        if coordinates is None or not text:
            continue
        points = np.array([pair.split(",") for pair in coordinates.attrib["points"].split()], dtype=int)
        box = box_around(points)
        if box.y > HEAD * height:
            yield box, WRITTEN
        elif text.isupper() and sum(map(str.isalpha, text)) >= MIN_HEAD_LETTERS:
            yield box, PRINTED


def _whole(grey: np.ndarray) -> Box:
    return Box(0, 0, grey.shape[1], grey.shape[0])
