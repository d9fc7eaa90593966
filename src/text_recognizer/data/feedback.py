"""Corrections that people gave: a folder with a picture and a JSON file for each. docs/feedback.md has the format."""

import contextlib
import json
import math
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from text_recognizer.bands import LINE_HEIGHT
from text_recognizer.data.iam import SCAN_DPI, Box, Form, Line
from text_recognizer.errors import DataError
from text_recognizer.files import replacing, write_json
from text_recognizer.images import open_picture
from text_recognizer.text import normalise, unknown

FORMAT = 1
PREFIX = "feedback-"  # of its form id, and of its writer where none is named: no form of IAM is called so
SUFFIXES = (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
PixelBox = tuple[int, int, int, int]


@dataclass(frozen=True)
class Correction:
    """One page as a person says it reads. `form` has the labels, `picture` the page, uint8 grey (H, W), upright.

    `made` is when, ISO 8601 with a time zone; `model` the digest of the model that was corrected.
    """

    id: str
    made: str
    model: str
    form: Form
    picture: np.ndarray


def list_ids(folder: Path) -> list[str]:
    """The names of all corrections, sorted, those that lack a half included; none where there is no such folder.

    A hidden file is a draft that is still being written, and no correction.
    """
    if not folder.is_dir():
        return []
    files = [path for path in folder.iterdir() if not path.name.startswith(".")]
    return sorted({path.stem for path in files if path.suffix.lower() in (".json", *SUFFIXES)})


def read(folder: Path, name: str) -> Correction:
    """Raises DataError saying what the correction lacks or spoils."""
    content = _content(folder, name)
    return parse(name, content, open_picture(_picture_file(folder, name)))


def parse(name: str, content: dict[str, Any], picture: np.ndarray) -> Correction:
    """The correction that `<name>.json` with this content is of this picture. Raises DataError as `read` does."""
    try:
        return _parse(name, content, picture)
    except (KeyError, TypeError, ValueError) as error:
        what = f"lacks {error}" if isinstance(error, KeyError) else f"is at fault: {error}"
        raise DataError(f"{name}.json {what}", "mend or remove it; docs/feedback.md has the format") from None


def first_fault(form: Form) -> str | None:
    """What the labels alone show to be wrong, in words, None where they are sound: text, charset, box, order.

    The suite `feedback` finds the same, and looks at the picture too.
    """
    above = -math.inf
    for number, line in enumerate(form.lines, 1):
        box = line.box or Box(0, 0, 0, 0)
        middle = box.y + box.height / 2
        if not line.text:
            return f"line {number} has no text"
        if strangers := unknown(line.text):
            return f"line {number} has characters that the reader does not know: {' '.join(strangers)}"
        if min(box.width, box.height) < 1:
            return f"the box of line {number} has no area"
        if min(box.x, box.y) < 0 or box.right > form.width or box.bottom > form.height:
            return f"the box of line {number} leaves the picture"
        if middle <= above:
            return f"line {number} is not below the one before"
        above = middle
    return None


def content_of(
    lines: Sequence[tuple[str, Sequence[float]]], model: str, made: datetime,
    writer: str | None = None, dpi: float | None = None,
) -> dict[str, Any]:  # fmt: skip
    """What a correction's JSON file holds."""
    content = {
        "format": FORMAT,
        "made": made.astimezone(UTC).isoformat(timespec="seconds"),
        "model": model,
        "lines": [{"text": text, "box": list(box)} for text, box in lines],
    }
    return content | {key: value for key, value in (("writer", writer), ("dpi", dpi)) if value is not None}


def save(
    folder: Path, picture: bytes, suffix: str, lines: Sequence[tuple[str, PixelBox]], model: str, made: datetime,
    writer: str | None = None, dpi: float | None = None,
) -> str:  # fmt: skip
    """Adds a correction and returns its name. A box is (x, y, width, height) in pixels of the upright picture."""
    return add(folder, picture, suffix, content_of(lines, model, made, writer, dpi))


def add(folder: Path, picture: bytes, suffix: str, content: dict[str, Any]) -> str:
    """Adds a correction whose JSON is `content`, and returns its name.

    The picture is written first, each file whole or not at all: what a kill leaves in between counts for nothing, and
    an error, a full disk for instance, leaves nothing.
    """
    if suffix.lower() not in SUFFIXES:
        raise DataError(f"a correction's picture cannot be a {suffix!r} file", f"give one of {', '.join(SUFFIXES)}")
    name = f"{datetime.fromisoformat(content['made']):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"
    page = folder / f"{name}{suffix.lower()}"
    with contextlib.ExitStack() as undo:
        undo.callback(page.unlink, missing_ok=True)
        with replacing(page) as draft:
            draft.write_bytes(picture)
        write_json(folder / f"{name}.json", content)
        undo.pop_all()
    return name


def _content(folder: Path, name: str) -> dict[str, Any]:
    path = folder / f"{name}.json"
    if not NAME.fullmatch(name):
        raise DataError(f"{name!r} is no name for a correction", "use letters, digits, dots, dashes and underscores")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"{name} has a picture and no {path.name}", "remove the picture, or add the labels") from None
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path.name} cannot be read: {' '.join(str(error).split())}", "mend or remove it") from None
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise DataError(f"{path.name} is not of format {FORMAT}", "docs/feedback.md has the format")
    return content


def _picture_file(folder: Path, name: str) -> Path:
    found = sorted(path for path in folder.glob(f"{name}.*") if path.suffix.lower() in SUFFIXES and path.stem == name)
    if len(found) != 1:
        count = "no picture" if not found else f"{len(found)} pictures"
        raise DataError(f"{name} has {count}", f"it needs one, {name}{SUFFIXES[0]} for instance")
    return found[0]


def _parse(name: str, content: dict[str, Any], picture: np.ndarray) -> Correction:
    if datetime.fromisoformat(content["made"]).tzinfo is None:
        raise ValueError(f"made = {content['made']!r} has no time zone")
    if not isinstance(content["model"], str) or not content["model"].strip():
        raise ValueError("model names none")
    if not isinstance(content["lines"], list) or not content["lines"]:
        raise ValueError("it has no lines")
    lines = [_line(entry) for entry in content["lines"]]
    writer = content.get("writer") or PREFIX + name
    if not isinstance(writer, str):
        raise ValueError(f"writer = {writer!r} is no text")
    boxes = [box for _, box in lines]
    step = SCAN_DPI / _dpi(content.get("dpi"), boxes)
    form = Form(
        id=PREFIX + name,
        writer=writer,
        width=round(picture.shape[1] * step),
        height=round(picture.shape[0] * step),
        lines=tuple(
            Line(f"{PREFIX}{name}-{number:02d}", text, _scaled(box, step), "ok")
            for number, (text, box) in enumerate(lines)
        ),
    )
    return Correction(name, content["made"], content["model"], form, picture)


def _line(entry: dict[str, Any]) -> tuple[str, Box]:
    if not isinstance(entry["text"], str):
        raise ValueError(f"text = {entry['text']!r} is no text")
    box = entry["box"]
    whole = isinstance(box, list) and len(box) == 4 and all(type(edge) in (int, float) for edge in box)
    if not whole or not all(math.isfinite(edge) and abs(edge) < 1e6 for edge in box) or min(box[2:]) <= 0:
        raise ValueError(f"box = {box!r} is not [x, y, width, height] in pixels")
    return normalise(entry["text"]).replace("\n", " "), Box(*(round(edge) for edge in box))


def _dpi(given: object, boxes: list[Box]) -> float:
    """The picture's resolution: as given, or so that the median line is as high as the reader's lines are."""
    if given is None:
        return max(1.0, float(np.median([box.height for box in boxes]))) / LINE_HEIGHT
    if not isinstance(given, int | float) or isinstance(given, bool) or not 20 <= given <= 2400:
        raise ValueError(f"dpi = {given!r} is not a number from 20 to 2400")
    return float(given)


def _scaled(box: Box, step: float) -> Box:
    """In pixels of the 300 dpi scan. Edges are rounded, not sizes, so that what ends with the picture still does."""
    x, y = round(box.x * step), round(box.y * step)
    return Box(x, y, round(box.right * step) - x, round(box.bottom * step) - y)


def utc(made: str) -> str:
    """A correction's time in UTC, so that times sort as text."""
    return datetime.fromisoformat(made).astimezone(UTC).isoformat()
