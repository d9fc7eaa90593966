"""Read each form of an archive into table rows. A form that cannot be read becomes a row that says so."""

import zipfile
import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from text_recognizer.core.charset import min_ctc_steps, unknown_characters
from text_recognizer.core.errors import DataError
from text_recognizer.core.geometry import Box
from text_recognizer.core.params import Params, PreprocessSection
from text_recognizer.corpora.iam import PICTURE_SUFFIXES, SCAN_DPI, Form, IamArchive
from text_recognizer.pages.feature_grid import FeatureGrid
from text_recognizer.utils.workers import map_in_processes
from text_recognizer.validation import page_checks

# Columns beyond either side of a line's box that the reader can use: its context covers two times two columns.
CONTEXT_COLUMNS = 4
# Colour modes that convert to 8-bit grey. Pictures of 16 bits or floats would turn white.
MODES = ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr"]
# Largest relative difference between the aspect ratios of a picture and of its XML.
ASPECT_TOLERANCE = 0.02
# A line of fewer characters says little about how densely a form is written, and so do fewer lines.
DENSITY_CHARACTERS, DENSITY_LINES = 12, 3
CHUNK = 32  # forms that a process gets at a time
# Errors of a damaged member of a zip: zlib raises its own for a flipped byte, zipfile a RuntimeError for encryption.
UNREADABLE = (DataError, zlib.error, RuntimeError, LookupError, Image.DecompressionBombError)


@dataclass(frozen=True)
class Files:
    """The members of the archive that are named after one form."""

    pictures: list[zipfile.ZipInfo] = field(default_factory=list)
    labels: list[zipfile.ZipInfo] = field(default_factory=list)


@dataclass(frozen=True)
class FormRow:
    """One form id. A value is None if the file that it is read from is missing or broken.

    `copies` is the larger of the numbers of pictures and of label files. `aspect` is the picture's width / height
    divided by that of the labels, `dpi` the picture's resolution, and `ink` the dark share of the text region.
    `extra_rows` is the number of rows of ink in the picture minus the number of lines in the labels, `uncovered_rows`
    says which rows lie in no line's box, and `edges` is `page_checks.edges` in hexadecimal. These three are None if
    any of the other values is faulty.
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
    extra_rows: int | None = None
    uncovered_rows: str | None = None
    edges: str | None = None


@dataclass(frozen=True)
class LineRow:
    """One line. `step` is the distance of its middle below that of the previous line, in px of the scan.

    The reader gives a line one column for every cell of `FeatureGrid`; CTC needs `min_ctc_steps` of them.
    `spare_on_canvas` is the number of columns left over on the width of the canvas, `spare_in_box` on the width of the
    line's box and CONTEXT_COLUMNS on either side. `foreign_id` names the form if the line's id does not begin with its
    id. `ink` is the dark share of the line's box, None if the boxes or the picture have other faults. `density` is the
    number of characters per width of the box, divided by the median of the form's lines; None if that says little.
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
    foreign_id: str | None = None
    ink: float | None = None
    density: float | None = None


FormAndLines = tuple[FormRow, tuple[LineRow, ...]]


def list_files(members: zipfile.ZipFile) -> dict[str, Files]:
    """Return the files of each form id, duplicates included. IamArchive keeps only one of each kind."""
    forms: defaultdict[str, Files] = defaultdict(Files)
    for member in members.infolist():
        path = PurePosixPath(member.filename)
        if path.parent.name == "forms" and path.suffix.lower() in PICTURE_SUFFIXES:
            forms[path.stem].pictures.append(member)
        elif path.parent.name == "xml" and path.suffix.lower() == ".xml":
            forms[path.stem].labels.append(member)
    return forms


def read_forms(
    archive: Path, ids: Sequence[str], params: Params, has_found_lines: bool = False
) -> Iterator[FormAndLines]:
    """Yield the rows of each form in the order of `ids`, read by `runtime.workers` processes.

    With `has_found_lines`, the rows of writing are not compared with the labels: the forms were made from them.
    """
    chunks = [ids[start : start + CHUNK] for start in range(0, len(ids), CHUNK)]
    work = partial(_read_chunk, archive, params, has_found_lines)
    for rows in map_in_processes(work, chunks, "runtime.workers", params.runtime.workers):
        yield from rows


def _read_chunk(archive: Path, params: Params, has_found_lines: bool, ids: Sequence[str]) -> list[FormAndLines]:
    with IamArchive(archive) as iam, zipfile.ZipFile(archive) as members:
        files = list_files(members)
        rows = [_read(iam, members, form_id, files[form_id], params) for form_id in ids]
    if has_found_lines:
        return [(replace(form, extra_rows=None, uncovered_rows=None), lines) for form, lines in rows]
    return rows


def _read(iam: IamArchive, members: zipfile.ZipFile, form_id: str, files: Files, params: Params) -> FormAndLines:
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
        if _comparable(row, lines, params):
            return _compare_with_picture(form, page, row, lines)
    return row, lines


def _comparable(row: FormRow, lines: tuple[LineRow, ...], params: Params) -> bool:
    """Return whether picture and labels can be compared. Faults that other rules report are not reported twice."""
    limits = params.validate_
    return (
        row.ink is not None
        and limits.ink_min <= row.ink <= limits.ink_max
        and row.aspect is not None
        and abs(row.aspect - 1) <= ASPECT_TOLERANCE
        and len(lines) <= limits.max_lines
        and all(line.box and not line.outside and (line.step is None or line.step > 0) for line in lines)
    )


def _compare_with_picture(form: Form, page: np.ndarray, row: FormRow, lines: tuple[LineRow, ...]) -> FormAndLines:
    """Add to the rows what the picture shows of the lines."""
    writing = page_checks.examine(form, page)
    if writing is None:
        return row, lines
    stray = ", ".join(f"ink at y = {height} px" for height in page_checks.rows_outside_boxes(writing.rows, form))
    more = len(writing.rows) - len(lines)
    row = replace(row, extra_rows=more, uncovered_rows=stray or None, edges=writing.edges.tobytes().hex())
    return row, tuple(replace(line, ink=ink) for line, ink in zip(lines, writing.lines, strict=True))


def _labels(iam: IamArchive, form_id: str) -> tuple[Form | None, str | None]:
    try:
        form = iam.form(form_id)
    except UNREADABLE as error:
        return None, _message(iam, error)
    if form.width < 1 or form.height < 1:
        return None, f"xml/{form_id}.xml gives a page of {form.width} x {form.height} px"
    return form, None


def _picture(
    iam: IamArchive, members: zipfile.ZipFile, form_id: str, member: zipfile.ZipInfo
) -> tuple[np.ndarray | None, str | None, str | None]:
    """Return the page as uint8 grey (H, W), the colour mode of its file, and what is wrong with it."""
    try:
        page = iam.picture(form_id)
        with members.open(member) as stream, Image.open(stream) as opened:
            return page, opened.mode, None
    except UNREADABLE as error:
        return None, None, _message(iam, error)


def _message(iam: IamArchive, error: Exception) -> str:
    """Return what is wrong, without the path of the archive, which differs from machine to machine."""
    what = error.what if isinstance(error, DataError) else str(error)
    return " ".join(what.removeprefix(f"{iam.path}: ").split())


def _aspect(form: Form, page: np.ndarray) -> float:
    return round(float(page.shape[1] / page.shape[0] * form.height / form.width), 3)


def _dpi(form: Form, page: np.ndarray) -> float:
    return round(float(page.shape[1] / form.width * SCAN_DPI), 1)


def _ink(form: Form, page: np.ndarray) -> float | None:
    """Return the dark share of the text region; None if there is no such region on the page."""
    if form.box is None:
        return None
    region = page_checks.crop_box(page, form.box, page.shape[1] / form.width)
    return round(float((region < page_checks.DARK).mean()), 4) if region.size else None


def line_rows(form_id: str, form: Form, section: PreprocessSection) -> tuple[LineRow, ...]:
    """Return the rows of a form's lines, with the values that follow from the labels alone."""
    rows, above = [], None
    for line in form.lines:
        middle = line.box.y + line.box.height / 2 if line.box else None
        row = LineRow(
            id=line.id,
            form=form_id,
            characters=len(line.text),
            unknown=" ".join(f"{sign} (U+{ord(sign):04X})" for sign in unknown_characters(line.text)) or None,
            box=f"{line.box.width} x {line.box.height} px at ({line.box.x}, {line.box.y})" if line.box else None,
            outside=_outside(line.box, form) if line.box else None,
            step=middle - above if middle is not None and above is not None else None,
            spare_on_canvas=section.canvas_width // FeatureGrid.at(section.dpi).cell_width - min_ctc_steps(line.text),
            spare_in_box=_spare_in_box(line.box, line.text, section) if line.box else None,
            text=line.text,
            foreign_id=None if line.id.startswith(f"{form_id}-") else f"in {form_id}",
        )
        rows.append(row)
        above = above if middle is None else middle
    return tuple(replace(row, density=density) for row, density in zip(rows, _densities(form), strict=True))


def _densities(form: Form) -> list[float | None]:
    """Return for each line its characters per width of its box, divided by the median of the lines that are long."""
    densities = [
        len(line.text) / line.box.width
        if line.box and line.box.width > 0 and len(line.text) >= DENSITY_CHARACTERS
        else None
        for line in form.lines
    ]
    known = [density for density in densities if density is not None]
    if len(known) < DENSITY_LINES:
        return [None] * len(densities)
    usual = float(np.median(known))
    return [None if density is None else round(density / usual, 3) for density in densities]


def _outside(box: Box, form: Form) -> str | None:
    """Return a sentence about how a box leaves its page; None if it lies inside."""
    if box.width < 1 or box.height < 1:
        return f"its box is {box.width} x {box.height} px"
    over = {
        "left": -box.x,
        "top": -box.y,
        "right": box.right - form.width,
        "bottom": box.bottom - form.height,
    }
    sides = [f"{pixels} px on the {side}" for side, pixels in over.items() if pixels > 0]
    return f"its box extends beyond the page by {' and '.join(sides)}" if sides else None


def _spare_in_box(box: Box, text: str, section: PreprocessSection) -> int:
    columns = int(FeatureGrid.at(section.dpi).columns(box.width / SCAN_DPI))
    return columns + 2 * CONTEXT_COLUMNS - min_ctc_steps(text)
