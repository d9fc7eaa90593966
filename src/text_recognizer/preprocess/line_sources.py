"""Transcribed pages without usable line boxes: the forms of IAM archives, and folders with pictures and texts."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import cv2
import numpy as np

from text_recognizer.core.charset import NEWLINE, join_lines, normalise
from text_recognizer.core.errors import DataError
from text_recognizer.core.params import PreprocessSection
from text_recognizer.corpora.iam import SPLITS, IamArchive
from text_recognizer.corpora.packed_pages import PackedPage
from text_recognizer.pages.opening import open_pages
from text_recognizer.preprocess.crop import crop_paragraph, place_paragraph

PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp")
BORDER = 30  # pixels of paper round the paragraph of a form: the detector misses text at the edge of a picture
REPAIR = "correct or remove the file"


@dataclass(frozen=True, eq=False)
class TranscribedPage:
    """A page, uint8 RGB (H, W, 3), with its normalised lines. Without line breaks, one line holds all of the text.

    `canvas` is the page on a canvas with its labels, if the boxes of its lines are known.
    """

    writer: str
    rgb: np.ndarray
    lines: tuple[str, ...]
    has_line_breaks: bool = True
    canvas: tuple[np.ndarray, PackedPage] | None = None


@dataclass(frozen=True)
class FormFile:
    """A form of an archive in IAM's layout."""

    archive: Path
    id: str

    @property
    def name(self) -> str:
        """The name in messages."""
        return f"{self.archive}: {self.id}"

    def open(self, section: PreprocessSection) -> TranscribedPage:
        """Crop the paragraph of the form. Raises DataError if that is impossible."""
        with IamArchive(self.archive) as iam:
            form, picture = iam.form(self.id), iam.picture(self.id)
        paragraph = crop_paragraph(form, picture, section)
        framed = np.pad(paragraph.grey, BORDER, constant_values=255)
        canvas = place_paragraph(paragraph, section)
        lines = tuple(line.text for line in form.lines)
        return TranscribedPage(form.writer, cv2.cvtColor(framed, cv2.COLOR_GRAY2RGB), lines, canvas=canvas)


@dataclass(frozen=True)
class PictureFile:
    """A picture, and the file with its text, which has the line breaks of the page or none."""

    picture: Path
    text: Path
    has_line_breaks: bool

    @property
    def id(self) -> str:
        """The name of the picture without its suffix."""
        return self.picture.stem

    @property
    def name(self) -> str:
        """The name in messages."""
        return str(self.picture)

    def open(self, _: PreprocessSection) -> TranscribedPage:
        """Open the picture and its text. Raises DataError if one of them cannot be read."""
        try:
            text = normalise(self.text.read_text(encoding="utf-8-sig"))
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"{self.text} cannot be read: {error}", REPAIR) from None
        lines = tuple(filter(None, text.split(NEWLINE))) if self.has_line_breaks else (join_lines(text),)
        if not any(lines):
            raise DataError(f"{self.text} is empty", REPAIR)
        return TranscribedPage(self.id, next(open_pages(self.picture)).rgb, lines, self.has_line_breaks)


PageFile = FormFile | PictureFile


def list_pages(sources: Iterable[Path], split: str, part: str, unlisted: bool) -> list[PageFile]:
    """Return the pages of a part (`train` or `validation`) of archives and folders.

    The forms of an archive are those that its split `split` (`data.split`) lists for the part. The pages of a folder
    are those that its `<part>.list` names. If it has none, and `unlisted`, they are the pages that no list names. So
    the test pages are left out in any case.

    Raises:
        DataError: a source is missing, or is neither an archive nor a folder with pictures and texts; it has no such
            split; a list names a page that is not there, or two lists name the same page.
    """
    pages: list[PageFile] = []
    for source in sources:
        if not source.exists():
            raise DataError(f"{source} does not exist", "name an archive in IAM's layout or a folder of pages")
        if source.is_dir():
            pages += _pictures_of(source, part, unlisted)
        else:
            with IamArchive(source) as iam:
                pages += [FormFile(source, form_id) for form_id in iam.splits(split)[part]]
    return pages


def _pictures_of(folder: Path, part: str, unlisted: bool) -> list[PictureFile]:
    """Return the pictures of a part of a folder. A picture without a text is an error."""
    files = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    pictures = {path.stem: path for path in files if path.suffix.lower() in PICTURE_SUFFIXES}
    if not pictures:
        raise DataError(f"{folder} holds no pictures", "name a folder with pictures and a text file for each, or a zip")
    lists = _lists(folder)
    if part in lists:
        names = lists[part]
    else:
        listed = {name for members in lists.values() for name in members}
        names = [name for name in pictures if name not in listed] if unlisted else []
    if missing := [name for name in names if name not in pictures]:
        raise DataError(f"{folder / part}.list names {missing[0]}, but there is no such picture", "correct the list")
    texts = [path for path in files if path.suffix == ".txt"]
    shared = [path for path in texts if path.stem not in pictures]
    return [_with_text(pictures[name], shared) for name in names]


def _lists(folder: Path) -> dict[str, list[str]]:
    """Return the names in each list of a folder, without suffixes of pictures."""
    lists = {}
    for part in SPLITS:
        path = folder / f"{part}.list"
        if path.is_file():
            names = map(str.strip, path.read_text(encoding="utf-8", errors="replace").splitlines())
            lists[part] = [Path(name).stem if Path(name).suffix in PICTURE_SUFFIXES else name for name in names if name]
    for one, other in combinations(lists, 2):
        if common := set(lists[one]) & set(lists[other]):
            what = f"{one}.list and {other}.list of {folder} both name {min(common)}"
            raise DataError(what, "name each page in one list only")
    return lists


def _with_text(picture: Path, shared: Iterable[Path]) -> PictureFile:
    """Find the text of a picture: the file of the same name, else the text whose name occurs in the picture's name.

    Such a text belongs to several pictures, whose writers broke its lines differently. The longest name counts.
    """
    own = picture.with_suffix(".txt")
    if own.is_file():
        return PictureFile(picture, own, has_line_breaks=True)
    named = [path for path in shared if path.stem in picture.stem]
    if not named:
        raise DataError(
            f"{picture} has no text", f"write {own.name} beside it, a line of text for each line, or move it away"
        )
    return PictureFile(picture, max(named, key=lambda path: len(path.stem)), has_line_breaks=False)
