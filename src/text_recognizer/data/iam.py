"""Handwritten forms in the layout of the IAM database, read straight from one zip that is never unpacked.

The layout (Marti and Bunke, "The IAM-database", IJDAR 5, 2002, as the FSDL mirror packs it), below any one top folder:

    forms/<id>.jpg|png   a grey page, dark ink on light paper, at any resolution
    xml/<id>.xml         its writer and its lines, boxes in pixels of the full-size 300 dpi scan
    ascii/forms.txt, ascii/lines.txt                   IAM's own tables
    task/{trainset,validationset1,validationset2,testset}.txt   the LWITLRT split, line ids
    aachen/{train,validation,test}.txt                 the Aachen (RWTH) split, form ids; not in every archive
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

from text_recognizer.data.archives import DAMAGE
from text_recognizer.errors import DataError
from text_recognizer.text import normalise

SCAN_DPI = 300
PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png")
SPLITS = ("train", "validation", "test")
Lists = dict[str, tuple[str, ...]]
# Each split's folder of lists, and the lists that make each part of it.
SPLIT_LISTS: dict[str, tuple[str, Lists]] = {
    # as the FSDL lab has it: both validation sets are one, and every form in no list belongs to training
    "lwitlrt": (
        "task",
        {"train": ("trainset",), "validation": ("validationset1", "validationset2"), "test": ("testset",)},
    ),
    # as IAM publishes it: the second validation set is in no part, and neither is a form in no list
    "lwitlrt-published": (
        "task",
        {"train": ("trainset",), "validation": ("validationset1",), "test": ("testset",)},
    ),
    "aachen": ("aachen", {"train": ("train",), "validation": ("validation",), "test": ("test",)}),
}


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels of the 300 dpi scan, origin top left."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        return self.x + self.width

    @property
    def bottom(self) -> int:
        return self.y + self.height


@dataclass(frozen=True)
class Line:
    """One handwritten line. `box` is None where the XML gives no component for it."""

    id: str
    text: str
    box: Box | None
    segmentation: str


@dataclass(frozen=True)
class Form:
    """One page's labels: size in pixels of the 300 dpi scan, lines from top to bottom."""

    id: str
    writer: str
    width: int
    height: int
    lines: tuple[Line, ...]

    @property
    def text(self) -> str:
        return "\n".join(line.text for line in self.lines)

    @property
    def box(self) -> Box | None:
        """The rectangle around all lines; None where no line has a box."""
        return around([line.box for line in self.lines if line.box])


def around(boxes: list[Box]) -> Box | None:
    """The smallest rectangle that holds all `boxes`."""
    if not boxes:
        return None
    x, y = min(box.x for box in boxes), min(box.y for box in boxes)
    return Box(x, y, max(box.right for box in boxes) - x, max(box.bottom for box in boxes) - y)


class IamArchive:
    """A zip in IAM's layout. Use as a context manager; every method raises DataError naming the file at fault."""

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
                "give a zip in IAM's layout: forms/<id>.jpg|png, xml/<id>.xml, ascii/, task/",
            )

    def __enter__(self) -> "IamArchive":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._zip.close()

    @property
    def picture_ids(self) -> list[str]:
        """Ids that have a picture under forms/, sorted."""
        return sorted(self._pictures)

    @property
    def label_ids(self) -> list[str]:
        """Ids that have labels under xml/, sorted."""
        return sorted(self._labels)

    @cached_property
    def form_ids(self) -> list[str]:
        """Ids that have both a picture and labels, sorted."""
        return sorted(self._pictures.keys() & self._labels.keys())

    def writer(self, form_id: str) -> str | None:
        """Who wrote a form, without reading the rest of its labels; None where they do not say, or are broken."""
        name = self._member(self._labels, form_id, "xml/", ".xml")
        try:
            _, root = next(iter(ElementTree.iterparse(io.BytesIO(self._read(name)), events=("start",))))
        except (ElementTree.ParseError, StopIteration):
            return None
        return root.get("writer-id")

    def form(self, form_id: str) -> Form:
        """The labels of one form, text normalised."""
        name = self._member(self._labels, form_id, "xml/", ".xml")
        try:
            return parse_form(ElementTree.fromstring(self._read(name)))
        except ElementTree.ParseError as error:
            raise DataError(
                f"{self.path}: {name} is not well-formed XML: {error}", "mend or exclude that form"
            ) from None
        except (ValueError, LookupError) as error:
            raise DataError(f"{self.path}: {name} lacks or spoils {error}", "mend or exclude that form") from None

    def picture(self, form_id: str) -> np.ndarray:
        """The page as uint8 grey (H, W), at the picture's own resolution."""
        name = self._member(self._pictures, form_id, "forms/", ".jpg|png")
        try:
            with Image.open(io.BytesIO(self._read(name))) as picture:
                return np.asarray(picture.convert("L"))
        except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            raise DataError(
                f"{self.path}: {name} is not a readable picture: {error}", "replace or exclude it"
            ) from None

    def splits(self, name: str) -> dict[str, list[str]]:
        """Form ids of each part, 'train', 'validation', 'test', of the split of this name in SPLIT_LISTS.

        Ids that stand in a list but have no picture or labels are left out: archives may hold a part of IAM.
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
                raise DataError(f"{self.path} has no {folder}/{name}.txt", "set data.split to a split that it has")
            lines = self._read(member).decode("utf-8", "replace").split()
            out |= {"-".join(line.split("-")[:2]) for line in lines}
        return out

    def _member(self, table: dict[str, str], form_id: str, folder: str, suffix: str) -> str:
        if form_id not in table:
            raise DataError(f"{self.path} has no {folder}{form_id}{suffix}", "add the file or exclude that form")
        return table[form_id]

    def _read(self, name: str) -> bytes:
        try:
            return self._zip.read(name)
        except DAMAGE as error:
            raise DataError(f"{self.path}: {name} cannot be read: {error}", "fetch the archive again") from None


def _open(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except FileNotFoundError:
        raise DataError(f"{path} does not exist", "check data.source, or run `text-recognizer fetch` first") from None
    except DAMAGE as error:
        raise DataError(f"{path} is not a whole zip archive: {error}", "fetch it again") from None


def _by_stem(members: list[str], folder: str, suffixes: tuple[str, ...]) -> dict[str, str]:
    # A Mac packs a hidden `._<id>.jpg` beside each file.
    paths = [(name, PurePosixPath(name)) for name in members if not PurePosixPath(name).name.startswith(".")]
    return {path.stem: name for name, path in paths if path.parent.name == folder and path.suffix.lower() in suffixes}


def parse_form(root: ElementTree.Element) -> Form:
    width, height = int(root.attrib["width"]), int(root.attrib["height"])
    if width <= 0 or height <= 0:
        raise ValueError(f"its size: {width} x {height}")
    lines = tuple(_parse_line(line) for line in root.iterfind("handwritten-part/line"))
    return Form(root.attrib["id"], root.attrib["writer-id"], width, height, lines)


def _parse_line(line: ElementTree.Element) -> Line:
    # IAM escapes quotes twice: after XML's own unescaping the text still says &quot;
    text = normalise(html.unescape(line.attrib["text"]))
    boxes = [Box(*(int(part.attrib[key]) for key in ("x", "y", "width", "height"))) for part in line.iter("cmp")]
    return Line(line.attrib["id"], text, around(boxes), line.attrib.get("segmentation", "ok"))
