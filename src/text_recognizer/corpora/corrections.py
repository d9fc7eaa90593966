"""Corrections: pages with the text that a person says they hold.

A folder has a picture and a JSON file for each correction. docs/corrections.md has the format.
"""

import contextlib
import json
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import AfterValidator, ConfigDict, Field, ValidationError

from text_recognizer.core.charset import normalise, to_label
from text_recognizer.core.errors import DataError
from text_recognizer.core.geometry import Box
from text_recognizer.core.schemas import Record
from text_recognizer.corpora.iam import SCAN_DPI, Form, Line
from text_recognizer.pages.feature_grid import LINE_HEIGHT
from text_recognizer.pages.opening import open_picture
from text_recognizer.utils.files import replace_atomically, write_json

# Begins the form id of a correction, and its writer if none is named. No IAM form has such an id.
ID_PREFIX = "feedback-"
PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
FORMAT_HELP = "correct it or remove it; docs/corrections.md has the format"


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("it must not be blank")
    return text


def _zoned_time(made: str) -> str:
    if datetime.fromisoformat(made).tzinfo is None:
        raise ValueError("it has no time zone")
    return made


def _has_area(box: list[float]) -> list[float]:
    if min(box[2:]) <= 0:
        raise ValueError("its width and its height must be above 0")
    return box


class CorrectedLine(Record):
    """A line's text as it was sent, and its box as x, y, width, height in pixels of the upright picture."""

    model_config = ConfigDict(strict=True, extra="ignore")

    text: str
    box: Annotated[
        list[Annotated[float, Field(gt=-1e6, lt=1e6)]], Field(min_length=4, max_length=4), AfterValidator(_has_area)
    ]


class CorrectionRecord(Record):
    """The content of a correction's JSON file."""

    model_config = ConfigDict(strict=True, extra="ignore")

    made: Annotated[str, AfterValidator(_zoned_time), Field(description="ISO 8601 with a time zone")]
    model: Annotated[str, AfterValidator(_not_blank), Field(description="digest of the model that was corrected")]
    lines: Annotated[list[CorrectedLine], Field(min_length=1, description="from top to bottom")]
    writer: str | None = None
    dpi: Annotated[float | None, Field(ge=20, le=2400, description="resolution of the picture")] = None
    format: Literal[1] = 1


@dataclass(frozen=True)
class Correction:
    """A correction that was read. `form` has the labels; `picture` is the page, uint8 grey (H, W), upright.

    `made` is an ISO 8601 time with a time zone. `model` is the digest of the model that was corrected. Lines with
    characters outside the charset cannot be labelled: `left_out` names them by number and character, the form does not
    have them, and the picture is painted over where they were.
    """

    id: str
    made: str
    model: str
    form: Form
    picture: np.ndarray
    left_out: tuple[str, ...] = ()


def list_ids(folder: Path) -> list[str]:
    """Return the names of all corrections, sorted. A folder that does not exist has none.

    Names that lack their picture or their JSON file are included. Hidden files are drafts, and are not.
    """
    if not folder.is_dir():
        return []
    files = [path for path in folder.iterdir() if not path.name.startswith(".")]
    return sorted({path.stem for path in files if path.suffix.lower() in (".json", *PICTURE_SUFFIXES)})


def read(folder: Path, name: str) -> Correction:
    """Read a correction. Raises DataError if a file is missing or not valid."""
    record = _read_record(folder, name)
    return to_correction(name, record, open_picture(_picture_path(folder, name)))


def new_record(
    lines: Sequence[tuple[str, Sequence[float]]],
    model: str,
    made: datetime,
    writer: str | None = None,
    dpi: float | None = None,
) -> CorrectionRecord:
    """Make a record of lines, each a text and its box (x, y, width, height) in pixels of the upright picture.

    `made` needs a time zone. Raises DataError if a value is not valid.
    """
    content = {
        "format": 1,
        "made": made.astimezone(UTC).isoformat(timespec="seconds"),
        "model": model,
        "lines": [{"text": text, "box": list(box)} for text, box in lines],
        "writer": writer,
        "dpi": dpi,
    }
    return _validate("the correction", content)


def to_correction(name: str, record: CorrectionRecord, picture: np.ndarray) -> Correction:
    """Combine a record with its picture, uint8 grey (H, W). Boxes are scaled to the resolution of IAM's scans.

    Letters with accents become the letters of the charset below them, as in all labels for training.
    """
    boxes = [Box(*(round(edge) for edge in line.box)) for line in record.lines]
    labels = [to_label(normalise(line.text).replace("\n", " ")) for line in record.lines]
    scale = SCAN_DPI / (record.dpi or _estimate_dpi(boxes))
    lines = tuple(
        Line(f"{ID_PREFIX}{name}-{number:02d}", label.text, scale_box(box, scale), "ok")
        for number, (label, box) in enumerate(zip(labels, boxes, strict=True))
        if not label.unknown
    )
    size = round(picture.shape[1] * scale), round(picture.shape[0] * scale)
    form = Form(ID_PREFIX + name, record.writer or ID_PREFIX + name, *size, lines)
    unknown = [number for number, label in enumerate(labels) if label.unknown]
    left_out = tuple(f"line {number + 1} has {_name_signs(labels[number].unknown)}" for number in unknown)
    return Correction(name, record.made, record.model, form, paint_over(picture, boxes, unknown), left_out)


def line_number(line: Line) -> int:
    """Return the number of a line among the lines of its correction, from 1, left-out ones included."""
    return int(line.id.rpartition("-")[2]) + 1


def save(folder: Path, picture: bytes, suffix: str, record: CorrectionRecord) -> str:
    """Add a correction to the folder and return its name. `picture` is the content of a file with this suffix.

    The picture is written first, each file atomically: a kill in between leaves a picture that counts for nothing.
    An error, for example a full disk, leaves nothing. Raises DataError if the suffix is not that of a picture.
    """
    if suffix.lower() not in PICTURE_SUFFIXES:
        raise DataError(
            f"a correction's picture cannot be a {suffix!r} file", f"give one of {', '.join(PICTURE_SUFFIXES)}"
        )
    name = f"{datetime.fromisoformat(record.made):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"
    page = folder / f"{name}{suffix.lower()}"
    with contextlib.ExitStack() as undo:
        undo.callback(page.unlink, missing_ok=True)
        with replace_atomically(page) as draft:
            draft.write_bytes(picture)
        write_json(folder / f"{name}.json", record.model_dump(mode="json", exclude_none=True))
        undo.pop_all()
    return name


def to_utc(made: str) -> str:
    """Convert a correction's time to UTC, so that times sort as text."""
    return datetime.fromisoformat(made).astimezone(UTC).isoformat()


def _read_record(folder: Path, name: str) -> CorrectionRecord:
    path = folder / f"{name}.json"
    if not NAME.fullmatch(name):
        raise DataError(
            f"{name!r} is not a valid name of a correction", "use letters, digits, dots, dashes and underscores"
        )
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"{name} has a picture but no {path.name}", "remove the picture, or add the labels") from None
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path.name} cannot be read: {' '.join(str(error).split())}", FORMAT_HELP) from None
    if not isinstance(content, dict) or content.get("format") != 1:
        raise DataError(f"{path.name} does not have format 1", FORMAT_HELP)
    return _validate(path.name, content)


def _validate(label: str, content: dict[str, object]) -> CorrectionRecord:
    try:
        return CorrectionRecord.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise DataError(f"{label}: {key} = {first['input']!r:.80}: {first['msg']}", FORMAT_HELP) from None


def _picture_path(folder: Path, name: str) -> Path:
    found = sorted(
        path for path in folder.glob(f"{name}.*") if path.suffix.lower() in PICTURE_SUFFIXES and path.stem == name
    )
    if len(found) != 1:
        count = "no picture" if not found else f"{len(found)} pictures"
        raise DataError(f"{name} has {count}", f"it needs exactly one, for example {name}{PICTURE_SUFFIXES[0]}")
    return found[0]


def _estimate_dpi(boxes: list[Box]) -> float:
    """Estimate the resolution of a picture by assuming that its median line is as high as the reader's lines are."""
    return max(1.0, float(np.median([box.height for box in boxes]))) / LINE_HEIGHT


def scale_box(box: Box, scale: float) -> Box:
    """Scale a box. The edges are rounded, not the sizes, so that a box that ends with the picture still does."""
    x, y = round(box.x * scale), round(box.y * scale)
    return Box(x, y, round(box.right * scale) - x, round(box.bottom * scale) - y)


def _name_signs(signs: str) -> str:
    return ", ".join(f"{sign} (U+{ord(sign):04X})" for sign in dict.fromkeys(signs))


def paint_over(picture: np.ndarray, boxes: Sequence[Box], numbers: Sequence[int]) -> np.ndarray:
    """Return the picture with paper where these boxes are. What lies in the box of another line stays."""
    if not numbers:
        return picture
    kept = np.zeros(picture.shape, dtype=bool)
    for number, box in enumerate(boxes):
        if number not in numbers:
            kept[_inside(box)] = True
    painted = picture.copy()
    for place in (_inside(boxes[number]) for number in numbers):
        if painted[place].size:
            painted[place] = np.where(kept[place], painted[place], np.median(picture[place]))
    return painted


def _inside(box: Box) -> tuple[slice, slice]:
    return slice(max(0, box.y), max(0, box.bottom)), slice(max(0, box.x), max(0, box.right))
