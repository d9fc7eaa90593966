"""Read handwritten forms in the layout of the IAM database from a zip archive, without unpacking it.

The layout (Marti and Bunke, "The IAM-database", IJDAR 5, 2002, as the FSDL mirror packs it), in any top folder:

    forms/<id>.jpg|png   a grey page, dark ink on light paper, at any resolution
    xml/<id>.xml         its writer and its lines, boxes in pixels of the full-size 300 dpi scan
    ascii/forms.txt, ascii/lines.txt                            tables of IAM
    task/{trainset,validationset1,validationset2,testset}.txt   the LWITLRT split, as line ids
    aachen/{train,validation,test}.txt                          the Aachen (RWTH) split, as form ids; optional
"""

import html
import io
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from types import TracebackType
from xml.etree import ElementTree

import numpy as np
from PIL import Image, UnidentifiedImageError

from text_recognizer.core.charset import normalise
from text_recognizer.core.errors import DataError
from text_recognizer.core.geometry import Box, bounding_box
from text_recognizer.corpora.file_trees import text_of
from text_recognizer.utils.archives import ARCHIVE_ERRORS

SCAN_DPI = 300
PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png")
SPLITS = ("train", "validation", "test")
ListNames = dict[str, tuple[str, ...]]
# The folder that holds the lists of a split, and the lists that make up each of its parts.
SPLIT_LISTS: dict[str, tuple[str, ListNames]] = {
    # As in the FSDL lab: the two validation sets are merged, and a form in no list belongs to the training part.
    "lwitlrt": (
        "task",
        {"train": ("trainset",), "validation": ("validationset1", "validationset2"), "test": ("testset",)},
    ),
    # As IAM publishes it: the second validation set belongs to no part, nor does a form in no list.
    "lwitlrt-published": (
        "task",
        {"train": ("trainset",), "validation": ("validationset1",), "test": ("testset",)},
    ),
    "aachen": ("aachen", {"train": ("train",), "validation": ("validation",), "test": ("test",)}),
}


@dataclass(frozen=True)
class Line:
    """A handwritten line. `box` is in pixels of the 300 dpi scan; None if the XML has no component for the line."""

    id: str
    text: str
    box: Box | None
    segmentation: str


@dataclass(frozen=True)
class Form:
    """The labels of a page: its size in pixels of the 300 dpi scan, and its lines from top to bottom."""

    id: str
    writer: str
    width: int
    height: int
    lines: tuple[Line, ...]

    @property
    def text(self) -> str:
        """The texts of the lines, joined by newlines."""
        return "\n".join(line.text for line in self.lines)

    @property
    def box(self) -> Box | None:
        """The bounding box of all lines; None if no line has a box."""
        return bounding_box([line.box for line in self.lines if line.box])


class IamArchive:
    """A zip archive in the layout of IAM, to be used as a context manager.

    Every method raises DataError, with the name of the file, if a file is missing or damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._zip = _open(path)
        members = [name for name in self._zip.namelist() if not name.endswith("/")]
        self._pictures = _by_stem(members, "forms", PICTURE_SUFFIXES)
        self._labels = _by_stem(members, "xml", (".xml",))
        self._tables = {"/".join(PurePosixPath(name).parts[-2:]): name for name in members if name.endswith(".txt")}
        if not self._pictures or not self._labels:
            raise DataError(
                f"{path} holds no forms/ and xml/ folders with pictures and labels",
                "give a zip in the layout of IAM: forms/<id>.jpg|png, xml/<id>.xml, ascii/, task/",
            )

    def __enter__(self) -> "IamArchive":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    @property
    def picture_ids(self) -> list[str]:
        """The ids that have a picture in forms/, sorted."""
        return sorted(self._pictures)

    @property
    def label_ids(self) -> list[str]:
        """The ids that have labels in xml/, sorted."""
        return sorted(self._labels)

    @cached_property
    def form_ids(self) -> list[str]:
        """The ids that have both a picture and labels, sorted."""
        return sorted(self._pictures.keys() & self._labels.keys())

    def writer(self, form_id: str) -> str | None:
        """Return the writer of a form without reading the rest of its labels; None if it is missing or unreadable."""
        name = self._member(self._labels, form_id, "xml/", ".xml")
        try:
            _, root = next(iter(ElementTree.iterparse(io.BytesIO(self._read(name)), events=("start",))))
        except (ElementTree.ParseError, StopIteration):
            return None
        writer: str | None = root.get("writer-id")
        return writer

    def form(self, form_id: str) -> Form:
        """Return the labels of a form, with its text normalised."""
        name = self._member(self._labels, form_id, "xml/", ".xml")
        try:
            return parse_form(ElementTree.fromstring(self._read(name)))
        except ElementTree.ParseError as error:
            raise DataError(
                f"{self.path}: {name} is not well-formed XML: {error}", "correct or exclude that form"
            ) from None
        except (ValueError, LookupError) as error:
            raise DataError(
                f"{self.path}: {name} has a missing or wrong value: {error}", "correct or exclude that form"
            ) from None

    def picture(self, form_id: str) -> np.ndarray:
        """Return the page as uint8 grey (H, W), at the resolution of the picture."""
        name = self._member(self._pictures, form_id, "forms/", ".jpg|png")
        try:
            with Image.open(io.BytesIO(self._read(name))) as picture:
                return np.asarray(picture.convert("L"))
        except UnidentifiedImageError:
            # Pillow's message holds a memory address, and a validation must give the same summary each time.
            raise DataError(
                f"{self.path}: {name} is not a readable picture: unknown file format", "replace or exclude it"
            ) from None
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            raise DataError(
                f"{self.path}: {name} is not a readable picture: {error}", "replace or exclude it"
            ) from None

    def picture_name(self, form_id: str) -> str:
        """Return the file name of the picture of a form."""
        return PurePosixPath(self._member(self._pictures, form_id, "forms/", ".jpg|png")).name

    def picture_bytes(self, form_id: str) -> bytes:
        """Return the picture file of a form."""
        return self._read(self._member(self._pictures, form_id, "forms/", ".jpg|png"))

    def splits(self, name: str) -> dict[str, list[str]]:
        """Return the form ids of each part ('train', 'validation', 'test') of a split of SPLIT_LISTS.

        Listed ids without a picture or labels are left out, because an archive may hold only a part of IAM.
        """
        folder, files = SPLIT_LISTS[name]
        known = set(self.form_ids)
        lists = {split: self._ids(folder, names) & known for split, names in files.items()}
        if name == "lwitlrt":
            lists["train"] |= known - lists["validation"] - lists["test"]
        return {split: sorted(ids) for split, ids in lists.items()}

    def _ids(self, folder: str, names: tuple[str, ...]) -> set[str]:
        out: set[str] = set()
        for name in names:
            member = self._tables.get(f"{folder}/{name}.txt")
            if member is None:
                raise DataError(
                    f"{self.path} has no {folder}/{name}.txt",
                    "set the split of its entry in data.sources to one that it has",
                )
            lines = text_of(self._read(member), f"{self.path}: {member}").split()
            out |= {"-".join(line.split("-")[:2]) for line in lines}
        return out

    def _member(self, table: dict[str, str], form_id: str, folder: str, suffix: str) -> str:
        if form_id not in table:
            raise DataError(f"{self.path} has no {folder}{form_id}{suffix}", "add the file or exclude that form")
        return table[form_id]

    def _read(self, name: str) -> bytes:
        try:
            return self._zip.read(name)
        except ARCHIVE_ERRORS as error:
            raise DataError(f"{self.path}: {name} cannot be read: {error}", "fetch the archive again") from None


def _open(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except FileNotFoundError:
        raise DataError(f"{path} does not exist", "check data.sources, or run `text-recognizer fetch` first") from None
    except ARCHIVE_ERRORS as error:
        raise DataError(f"{path} is not a complete zip archive: {error}", "fetch it again") from None


def _by_stem(members: list[str], folder: str, suffixes: tuple[str, ...]) -> dict[str, str]:
    # macOS packs a hidden `._<id>.jpg` beside each file.
    paths = [(name, PurePosixPath(name)) for name in members if not PurePosixPath(name).name.startswith(".")]
    return {path.stem: name for name, path in paths if path.parent.name == folder and path.suffix.lower() in suffixes}


def parse_form(root: ElementTree.Element) -> Form:
    """Parse the XML of a form. Raises ValueError or LookupError if a value is missing or wrong."""
    width, height = int(root.attrib["width"]), int(root.attrib["height"])
    if width <= 0 or height <= 0:
        raise ValueError(f"size {width} x {height}")
    lines = tuple(_parse_line(line) for line in root.iterfind("handwritten-part/line"))
    return Form(root.attrib["id"], root.attrib["writer-id"], width, height, lines)


def _parse_line(line: ElementTree.Element) -> Line:
    # IAM escapes quotes twice: after the XML is parsed, the text still holds &quot;.
    text = normalise(html.unescape(line.attrib["text"]))
    boxes = [Box(*(int(part.attrib[key]) for key in ("x", "y", "width", "height"))) for part in line.iter("cmp")]
    return Line(line.attrib["id"], text, bounding_box(boxes), line.attrib.get("segmentation", "ok"))
