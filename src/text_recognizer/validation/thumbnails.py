"""Small pictures of the failing rows, for the Data Docs."""

import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from text_recognizer.core.errors import DataError
from text_recognizer.core.geometry import Box
from text_recognizer.corpora import corrections
from text_recognizer.corpora.iam import SPLITS, IamArchive
from text_recognizer.corpora.packed_lines import PackedLines
from text_recognizer.corpora.packed_pages import PackedSplit
from text_recognizer.validation.form_tables import UNREADABLE
from text_recognizer.validation.page_checks import crop_box
from text_recognizer.validation.suite_runner import CheckedExpectation

MAX_PICTURES = 120  # in all; further rows are listed without a picture
PAGE, LINE = (160, 220), (480, 90)  # px: largest width and height
MARGIN = 40  # px of the scan around a line

# JPEG files by the suite and the id of the row.
Pictures = dict[tuple[str, str], bytes]


@dataclass(frozen=True)
class _PackedPicture:
    """A packed page or line: `size` is the largest width and height of its thumbnail."""

    suite: str
    id: str
    read: Callable[[], np.ndarray]
    size: tuple[int, int]


def form_thumbnails(
    checked: Sequence[CheckedExpectation], archives: Mapping[str, Path], feedback: Path | None
) -> Pictures:
    """Return thumbnails of failing forms, lines and corrections. Rows whose picture cannot be read have none.

    `archives` has the archive of each form.
    """
    form_ids: dict[tuple[str, str], str] = {}
    for row in checked:
        for row_id, form_id in zip(row.record.ids, row.forms, strict=True):
            if row.record.suite in ("forms", "lines", "audit", "feedback") and len(form_ids) < MAX_PICTURES:
                form_ids.setdefault((row.record.suite, row_id), form_id)
    out: Pictures = {}
    with ExitStack() as stack:
        opened = {path: stack.enter_context(IamArchive(path)) for path in {archives[i] for i in form_ids.values() if i}}
        for (suite, row_id), form_id in form_ids.items():
            if suite == "feedback":
                content = _correction_thumbnail(feedback, row_id)
            else:
                content = _form_thumbnail(
                    opened[archives[form_id]], form_id, row_id if suite in ("lines", "audit") else None
                )
            if content:
                out[suite, row_id] = content
    return out


def crop_thumbnails(checked: Sequence[CheckedExpectation], folder: Path) -> Pictures:
    """Return thumbnails of failing packed pages and lines."""
    wanted = {(row.record.suite, row_id) for row in checked for row_id in row.record.ids}
    suites = {suite for suite, _ in wanted}
    out: Pictures = {}
    for split in SPLITS:
        for packed in _packed_pictures(folder, split, suites):
            key = packed.suite, packed.id
            if key in wanted and len(out) < MAX_PICTURES and (content := _jpeg(packed.read(), packed.size)):
                out[key] = content
    return out


def _packed_pictures(folder: Path, split: str, suites: set[str]) -> Iterator[_PackedPicture]:
    """Yield the packed pages and lines of a split, of those suites that have failing rows."""
    if "crops" in suites:
        pages = PackedSplit.open(folder, split)
        for number, page in enumerate(pages.pages):
            yield _PackedPicture("crops", page.id, partial(np.asarray, pages.canvases[number]), PAGE)
    if "line_crops" in suites:
        lines = PackedLines.open(folder, split)
        for number, line in enumerate(lines.lines):
            yield _PackedPicture("line_crops", line.id, partial(lines.picture, number), LINE)


def file_name(suite: str, row_id: str) -> str:
    """Return the name of a thumbnail's file."""
    return f"{suite}-{re.sub(r'[^A-Za-z0-9._-]', '_', row_id)}.jpg"


def _correction_thumbnail(folder: Path | None, name: str) -> bytes | None:
    if folder is None:
        return None
    try:
        return _jpeg(corrections.read(folder, name).picture, PAGE)
    except DataError:
        return None


def _form_thumbnail(iam: IamArchive, form_id: str, line_id: str | None) -> bytes | None:
    """Return a thumbnail of a line, or of the whole page if `line_id` is None."""
    try:
        page = iam.picture(form_id)
        return _jpeg(_crop_line(iam, page, form_id, line_id), LINE) if line_id else _jpeg(page, PAGE)
    except UNREADABLE:
        return None


def _crop_line(iam: IamArchive, page: np.ndarray, form_id: str, line_id: str) -> np.ndarray:
    """Return the part of the page around a line; the whole page if the line has no box."""
    form = iam.form(form_id)
    box = next((line.box for line in form.lines if line.id == line_id and line.box), None)
    if box is None:
        return page
    wide = Box(box.x - MARGIN, box.y - MARGIN, box.width + 2 * MARGIN, box.height + 2 * MARGIN)
    return crop_box(page, wide, page.shape[1] / form.width)


def _jpeg(page: np.ndarray, size: tuple[int, int]) -> bytes | None:
    if not page.size:
        return None
    picture = Image.fromarray(page)
    picture.thumbnail(size, Image.Resampling.BOX)
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=80)
    return stream.getvalue()
