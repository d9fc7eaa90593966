"""Small pictures of what failed, for the Data Docs: a look says more than an id."""

import io
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from text_recognizer.data import feedback
from text_recognizer.data.iam import SPLITS, Box, IamArchive
from text_recognizer.data.packed import PackedSplit
from text_recognizer.data.packed_lines import PackedLines
from text_recognizer.errors import DataError
from text_recognizer.validation.picture import cut
from text_recognizer.validation.reading import UNREADABLE

MOST = 120  # rows in all; the ids of the others are listed without a picture
PAGE, LINE = (160, 220), (480, 90)  # px, width and height at most
MARGIN = 40  # px of the scan around a line


@dataclass(frozen=True)
class Sources:
    """Where the pictures of failing rows are."""

    archive: Path
    feedback: Path | None


def draw(rows: Sequence[dict[str, Any]], sources: Sources) -> dict[tuple[str, str], bytes]:
    """JPEGs by suite and id, for rows of `_row` in run.py. What has no picture that opens has none here."""
    wanted: dict[tuple[str, str], str] = {}
    for row in rows:
        for row_id, form in zip(row["ids"], row["forms"], strict=True):
            if row["suite"] in ("forms", "lines", "feedback") and len(wanted) < MOST:
                wanted.setdefault((row["suite"], row_id), form)
    if not wanted:
        return {}
    with IamArchive(sources.archive) as iam:
        drawn = {key: _picture(iam, sources.feedback, *key, form) for key, form in wanted.items()}
    return {key: content for key, content in drawn.items() if content}


def crops(rows: Sequence[dict[str, Any]], folder: Path) -> dict[tuple[str, str], bytes]:
    """The same of packed pages and lines."""
    wanted = {(row["suite"], row_id) for row in rows for row_id in row["ids"]}
    drawn: dict[tuple[str, str], bytes] = {}
    for split in SPLITS:
        for suite, row_id, picture, size in _packed(folder, split, {suite for suite, _ in wanted}):
            if (suite, row_id) in wanted and len(drawn) < MOST and (content := _jpeg(picture(), size)):
                drawn[suite, row_id] = content
    return drawn


Packed = tuple[str, str, Callable[[], np.ndarray], tuple[int, int]]


def _packed(folder: Path, split: str, suites: set[str]) -> Iterator[Packed]:
    """Suite, id, picture and size of a thumbnail, of all that is packed and has failing rows."""
    if "crops" in suites:
        pages = PackedSplit.open(folder, split)
        for number, page in enumerate(pages.pages):
            yield "crops", page.id, partial(np.asarray, pages.canvases[number]), PAGE
    if "line_crops" in suites:
        lines = PackedLines.open(folder, split)
        for number, line in enumerate(lines.lines):
            yield "line_crops", line.id, partial(lines.picture, number), LINE


def file_name(suite: str, row_id: str) -> str:
    return f"{suite}-{re.sub(r'[^A-Za-z0-9._-]', '_', row_id)}.jpg"


def _picture(iam: IamArchive, folder: Path | None, suite: str, row_id: str, form: str) -> bytes | None:
    try:
        if suite == "feedback":
            return _jpeg(feedback.read(folder, row_id).picture, PAGE) if folder else None
        page = iam.picture(form)
        return _jpeg(_line(iam, page, form, row_id), LINE) if suite == "lines" else _jpeg(page, PAGE)
    except (*UNREADABLE, DataError):
        return None


def _line(iam: IamArchive, page: np.ndarray, form_id: str, line_id: str) -> np.ndarray:
    """The page about a line's box; the whole page where it has none."""
    form = iam.form(form_id)
    box = next((line.box for line in form.lines if line.id == line_id and line.box), None)
    if box is None:
        return page
    wide = Box(box.x - MARGIN, box.y - MARGIN, box.width + 2 * MARGIN, box.height + 2 * MARGIN)
    return cut(page, wide, page.shape[1] / form.width)


def _jpeg(page: np.ndarray, size: tuple[int, int]) -> bytes | None:
    if not page.size:
        return None
    picture = Image.fromarray(page)
    picture.thumbnail(size, Image.Resampling.BOX)
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=80)
    return stream.getvalue()
