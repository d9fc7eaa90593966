"""What one form of an archive is like, faults included: a broken form becomes a row that says so."""

import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from text_recognizer.bands import Grid
from text_recognizer.config import Params, PreprocessSection
from text_recognizer.data.iam import PICTURE_SUFFIXES, SCAN_DPI, Box, Form, IamArchive
from text_recognizer.errors import DataError
from text_recognizer.text import ctc_columns, unknown
from text_recognizer.validation import picture
from text_recognizer.workers import in_processes

# The reader's context mixes two times two columns from either side, so a line may be spelt that far beyond its box.
REACH = 4
# What turns into 8-bit grey without loss of what matters; 16-bit and float pictures turn white.
MODES = ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr"]
# How far the shape of a picture may differ from the shape that its XML gives.
ASPECT_TOLERANCE = 0.02
CHUNK = 32
# What a damaged member of a zip raises besides DataError: zlib on a flipped byte, RuntimeError on a locked member.
UNREADABLE = (DataError, zlib.error, RuntimeError, LookupError, Image.DecompressionBombError)


@dataclass(frozen=True)
class Files:
    """The members of the archive that bear one form's id."""

    pictures: list[zipfile.ZipInfo] = field(default_factory=list)
    labels: list[zipfile.ZipInfo] = field(default_factory=list)


@dataclass(frozen=True)
class FormRow:
    """One form id. Where a value cannot be known, because what it is read from is missing or broken, it is None.

    `copies` counts the files of the kind, picture or labels, that has more. `aspect` is the picture's width / height
    over that of the labels; `dpi` is the picture's; `ink` is the dark share of the text region. `rows_more` says how
    many more rows of ink the picture has than the labels have lines, `unclaimed` which of them lie in no line's box.
    `edges` is `picture.edges` in hexadecimal. These three are known only where all that comes before holds.
    """

    id: str
    pictures: int
    labels: int
    copies: int
    fingerprint: str | None = None
    labels_problem: str | None = None
    labelled_id: str | None = None
    writer: str | None = None
    writer_length: int | None = None
    lines: int | None = None
    picture_problem: str | None = None
    mode: str | None = None
    aspect: float | None = None
    dpi: float | None = None
    ink: float | None = None
    rows_more: int | None = None
    unclaimed: str | None = None
    edges: str | None = None


@dataclass(frozen=True)
class LineRow:
    """One line. `step` is how far its middle lies below that of the line before, in px of the scan; None for the first.

    The reader gives a line one column for every cell of `bands.Grid`; CTC needs `text.ctc_columns` of them.
    `spare_on_canvas` is what is left of the whole width, `spare_in_box` of its own box and REACH on either side.
    `stranger` names the form of a line that does not bear its id. `text` is the line's text; `ink` is the dark share of
    its box, None where the boxes or the picture have other faults.
    """

    id: str
    form: str
    characters: int
    unknown: str | None
    box: str | None
    outside: str | None
    step: float | None
    spare_on_canvas: int
    spare_in_box: int | None
    text: str
    stranger: str | None = None
    ink: float | None = None


Read = tuple[FormRow, tuple[LineRow, ...]]


def list_files(members: zipfile.ZipFile) -> dict[str, Files]:
    """The files of each form id. IamArchive keeps one of a kind, so duplicates show here alone."""
    forms: defaultdict[str, Files] = defaultdict(Files)
    for member in members.infolist():
        path = PurePosixPath(member.filename)
        if path.parent.name == "forms" and path.suffix.lower() in PICTURE_SUFFIXES:
            forms[path.stem].pictures.append(member)
        elif path.parent.name == "xml" and path.suffix.lower() == ".xml":
            forms[path.stem].labels.append(member)
    return forms


def read_forms(archive: Path, ids: list[str], params: Params) -> Iterator[Read]:
    """The rows of each form in the order of `ids`, read by `preprocess.workers` processes."""
    chunks = [ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK)]
    work = partial(_read_chunk, archive, params)
    for rows in in_processes(work, chunks, "preprocess.workers", params.preprocess.workers):
        yield from rows


def _read_chunk(archive: Path, params: Params, ids: list[str]) -> list[Read]:
    with IamArchive(archive) as iam, zipfile.ZipFile(archive) as members:
        files = list_files(members)
        return [_read(iam, members, form_id, files[form_id], params) for form_id in ids]


def _read(iam: IamArchive, members: zipfile.ZipFile, form_id: str, files: Files, params: Params) -> Read:
    pictures, labels = files.pictures, files.labels
    row = FormRow(form_id, len(pictures), len(labels), max(len(pictures), len(labels)))
    form: Form | None = None
    page: np.ndarray | None = None
    lines: tuple[LineRow, ...] = ()
    if labels:
        form, problem = _labels(iam, form_id)
        row = replace(row, labels_problem=problem)
    if form:
        lines = line_rows(form_id, form, params.preprocess)
        name = form.writer
        row = replace(row, labelled_id=form.id, writer=name, writer_length=len(name.strip()), lines=len(lines))
    if pictures:
        page, mode, problem = _picture(iam, members, form_id, pictures[-1])
        fingerprint = f"{pictures[-1].CRC:08x}-{pictures[-1].file_size}"
        row = replace(row, fingerprint=fingerprint, mode=mode, picture_problem=problem)
    if form and page is not None:
        ink = _ink(form, page) if row.mode in MODES else None
        row = replace(row, aspect=_aspect(form, page), dpi=_dpi(form, page), ink=ink)
        if _sound(row, lines, params):
            return _compare(form, page, row, lines)
    return row, lines


def _sound(row: FormRow, lines: tuple[LineRow, ...], params: Params) -> bool:
    """Whether the picture can be held against the labels: a fault that other rules report is not reported twice."""
    limits = params.validate_
    return (
        row.ink is not None
        and limits.ink_min <= row.ink <= limits.ink_max
        and row.aspect is not None
        and abs(row.aspect - 1) <= ASPECT_TOLERANCE
        and len(lines) <= limits.max_lines
        and all(line.box and not line.outside and (line.step is None or line.step > 0) for line in lines)
    )


def _compare(form: Form, page: np.ndarray, row: FormRow, lines: tuple[LineRow, ...]) -> Read:
    """The rows with what the picture says of its lines."""
    writing = picture.examine(form, page)
    if writing is None:
        return row, lines
    stray = ", ".join(f"ink at y = {height} px" for height in picture.unclaimed(writing.rows, form))
    more = len(writing.rows) - len(lines)
    row = replace(row, rows_more=more, unclaimed=stray or None, edges=writing.edges.tobytes().hex())
    return row, tuple(replace(line, ink=ink) for line, ink in zip(lines, writing.lines, strict=True))


def _labels(iam: IamArchive, form_id: str) -> tuple[Form | None, str | None]:
    try:
        form = iam.form(form_id)
    except UNREADABLE as error:
        return None, _words(iam, error)
    if form.width < 1 or form.height < 1:
        return None, f"xml/{form_id}.xml gives a page of {form.width} x {form.height} px"
    return form, None


def _picture(
    iam: IamArchive, members: zipfile.ZipFile, form_id: str, member: zipfile.ZipInfo
) -> tuple[np.ndarray | None, str | None, str | None]:
    """The page as uint8 grey (H, W), the colour mode of its file, and what is wrong with it."""
    try:
        page = iam.picture(form_id)
        with members.open(member) as stream, Image.open(stream) as opened:
            return page, opened.mode, None
    except UNREADABLE as error:
        return None, None, _words(iam, error)


def _words(iam: IamArchive, error: Exception) -> str:
    """What is wrong, without the place of the archive, which differs from machine to machine."""
    what = error.what if isinstance(error, DataError) else str(error)
    return " ".join(what.removeprefix(f"{iam.path}: ").split())


def _aspect(form: Form, page: np.ndarray) -> float:
    return round(page.shape[1] / page.shape[0] * form.height / form.width, 3)


def _dpi(form: Form, page: np.ndarray) -> float:
    return round(page.shape[1] / form.width * SCAN_DPI, 1)


def _ink(form: Form, page: np.ndarray) -> float | None:
    """The dark share of the text region; None where there is no such region on the page."""
    if form.box is None:
        return None
    region = picture.cut(page, form.box, page.shape[1] / form.width)
    return round(float((region < picture.DARK).mean()), 4) if region.size else None


def line_rows(form_id: str, form: Form, section: PreprocessSection) -> tuple[LineRow, ...]:
    """What the labels alone say of each line."""
    rows, above = [], None
    for line in form.lines:
        middle = line.box.y + line.box.height / 2 if line.box else None
        row = LineRow(
            id=line.id,
            form=form_id,
            characters=len(line.text),
            unknown=" ".join(f"{character} (U+{ord(character):04X})" for character in unknown(line.text)) or None,
            box=f"{line.box.width} x {line.box.height} px at ({line.box.x}, {line.box.y})" if line.box else None,
            outside=_outside(line.box, form) if line.box else None,
            step=middle - above if middle is not None and above is not None else None,
            spare_on_canvas=section.canvas_width // Grid.at(section.dpi).cell_width - ctc_columns(line.text),
            spare_in_box=_spare_in_box(line.box, line.text, section) if line.box else None,
            text=line.text,
            stranger=None if line.id.startswith(f"{form_id}-") else f"in {form_id}",
        )
        rows.append(row)
        above = above if middle is None else middle
    return tuple(rows)


def _outside(box: Box, form: Form) -> str | None:
    """In words how a box leaves its page; None where it lies inside."""
    if box.width < 1 or box.height < 1:
        return f"its box is {box.width} x {box.height} px"
    over = {
        "left": -box.x,
        "top": -box.y,
        "right": box.right - form.width,
        "bottom": box.bottom - form.height,
    }
    sides = [f"{pixels} px on the {side}" for side, pixels in over.items() if pixels > 0]
    return f"its box leaves the page by {' and '.join(sides)}" if sides else None


def _spare_in_box(box: Box, text: str, section: PreprocessSection) -> int:
    columns = int(Grid.at(section.dpi).columns(box.width / SCAN_DPI))
    return columns + 2 * REACH - ctc_columns(text)
