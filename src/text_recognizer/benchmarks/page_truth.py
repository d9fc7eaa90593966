"""Pages whose text is known: folders of pictures with text files or page XML, and archives in the layout of IAM."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from text_recognizer.core.errors import DataError
from text_recognizer.core.geometry import Box
from text_recognizer.corpora.file_trees import read_text
from text_recognizer.corpora.iam import SCAN_DPI, SPLIT_LISTS, SPLITS, Form, IamArchive
from text_recognizer.corpora.page_lists import PICTURE_SUFFIXES, missing_names, read_list
from text_recognizer.corpora.xml_corpus import read_labels

SUFFIXES = (*PICTURE_SUFFIXES, ".pdf")
MANIFEST = "manifest.jsonl"
MARGIN = 0.15  # inches of paper around the writing that is cut out of a form


@dataclass(frozen=True)
class KnownPage:
    """A file of pages, and the text on them, which is empty if there is no writing.

    `kind` groups files in the report; it may be empty.
    """

    path: Path
    text: str
    kind: str = ""

    @property
    def name(self) -> str:
        """The name of the file without its suffix."""
        return self.path.stem


def known_pages(folder: Path, listed: Path | None = None, no_writing: bool = False) -> list[KnownPage]:
    """Return the files of a folder whose text is known, sorted by name.

    The text of `a.jpg` is in `a.txt`, or in `a.xml` as PAGE XML or ALTO. `manifest.jsonl` gives the kind of each file.
    `listed` is a file of names, one a line, with or without suffix; without it all files are taken, and a file without
    text is left out. With `no_writing`, a file without text has no writing on it.

    Raises:
        DataError: the folder or a listed file is missing, a text is damaged, or no file is left.
    """
    if not folder.is_dir():
        raise DataError(f"{folder} is not a folder", "name a folder of pictures, or a zip with a split")
    kinds = _kinds(folder / MANIFEST)
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    if listed:
        files = _chosen(files, listed)
    pages = [_known(path, kinds, no_writing) for path in files]
    found = [page for page in pages if page]
    if not found:
        raise DataError(
            f"no picture in {folder} has a text beside it",
            "add a.txt beside a.jpg; if nothing is written on the pictures, use --no-writing",
        )
    return found


def cut_out_forms(archive: Path, split: str, folder: Path) -> list[KnownPage]:
    """Write the handwriting of the forms of a split, for instance `aachen/test`, as PNG files to `folder`.

    Raises DataError if there is no such split, or if a form is damaged.
    """
    name, _, part = split.partition("/")
    if name not in SPLIT_LISTS or part not in SPLITS:
        raise DataError(f"there is no split {split!r}", "name one such as aachen/test or lwitlrt/validation")
    pages = []
    with IamArchive(archive) as iam:
        for form_id in iam.splits(name)[part]:
            form = iam.form(form_id)
            path = folder / f"{form_id}.png"
            Image.fromarray(cut_out(form, iam.picture(form_id))).save(path, compress_level=1)
            pages.append(KnownPage(path, form.text))
    if not pages:
        raise DataError(f"{split} of {archive} holds no form", "name a split that has forms in this archive")
    return pages


def cut_out(form: Form, picture: np.ndarray, margin: float = MARGIN) -> np.ndarray:
    """Return the handwritten part of a form with `margin` inches of paper; the whole picture if it has no boxes."""
    box = form.box or Box(0, 0, form.width, form.height)
    scale, more = picture.shape[1] / form.width, round(margin * SCAN_DPI)
    left, top = (max(0, round((edge - more) * scale)) for edge in (box.x, box.y))
    right, bottom = (round((edge + more) * scale) for edge in (box.right, box.bottom))
    return np.ascontiguousarray(picture[top:bottom, left:right])


def xml_text(path: Path) -> str:
    """Return the text of a PAGE XML or ALTO file, its lines in reading order.

    Raises DataError if the file is not well-formed XML, or has another root.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}", "export it again") from None
    return "\n".join(line.text for line in read_labels(data, str(path)).lines)


def _known(path: Path, kinds: dict[str, str], no_writing: bool) -> KnownPage | None:
    text = _text_beside(path)
    if text is None and not no_writing:
        return None
    return KnownPage(path, text or "", kinds.get(path.name, ""))


def _text_beside(path: Path) -> str | None:
    """Return the text that stands beside a picture; None if there is none."""
    plain, xml = path.with_suffix(".txt"), path.with_suffix(".xml")
    if plain.is_file():
        return read_text(plain)
    return xml_text(xml) if xml.is_file() else None


def _kinds(manifest: Path) -> dict[str, str]:
    """Return the kinds of files by their names."""
    if not manifest.is_file():
        return {}
    kinds = {}
    for number, line in enumerate(read_text(manifest).splitlines(), 1):
        try:
            row = json.loads(line) if line.strip() else {}
            kinds[str(row.get("file", ""))] = str(row.get("kind", ""))
        except (ValueError, AttributeError):
            raise DataError(f"{manifest}, line {number}, is not a JSON object", "correct that line") from None
    return kinds


def _chosen(files: list[Path], listed: Path) -> list[Path]:
    """Return the files that the list names, in its order."""
    by_name = {path.stem: path for path in files}
    names = read_list(listed)
    if missing := missing_names(names, by_name):
        raise DataError(f"{listed} names {missing}, but there is no such picture", "correct the list")
    return [by_name[name] for name in names]
