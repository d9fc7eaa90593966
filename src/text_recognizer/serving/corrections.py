"""Corrections that people send: checked, then kept in the feedback folder; see docs/feedback.md.

Off unless VARIABLE names the folder. What is kept is the picture in grey, without what the camera noted beside it, the
lines, the time and the model; not who sent it.
"""

import io
import os
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from fastapi import File, Form, HTTPException, Request, UploadFile
from PIL import Image
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from text_recognizer.data import feedback
from text_recognizer.errors import ConfigError, TextRecognizerError
from text_recognizer.serving.pictures import opened, received, refuse

VARIABLE = "TEXT_RECOGNIZER_FEEDBACK"
MAX_LINES, MAX_CHARACTERS, MAX_NAME = 100, 500, 100
# Strangers may fill the folder; the disk they may not.
SPARE_BYTES = 1 << 30
FIX = "send the picture in a part named 'picture' and JSON in one named 'correction'; docs/feedback.md has the format"


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("it has characters that cannot be printed")
    return text


class SentLine(BaseModel):
    model_config = ConfigDict(allow_inf_nan=False)

    text: Annotated[str, Field(max_length=MAX_CHARACTERS)]
    box: Annotated[list[float], Field(min_length=4, max_length=4)]


class Sent(BaseModel):
    """The field `correction`: a correction's JSON without what the service knows better, the time and the format."""

    model_config = ConfigDict(allow_inf_nan=False)

    lines: Annotated[list[SentLine], Field(min_length=1, max_length=MAX_LINES)]
    model: Annotated[str | None, Field(pattern="^[0-9a-f]{64}$")] = None
    writer: Annotated[str | None, Field(min_length=1, max_length=MAX_NAME), AfterValidator(_printable)] = None
    dpi: Annotated[float | None, Field(ge=20, le=2400)] = None

    def content(self, model: str) -> dict[str, Any]:
        lines = [(line.text, line.box) for line in self.lines]
        return feedback.content_of(lines, self.model or model, datetime.now(UTC), self.writer, self.dpi)


def folder_of(environment: Mapping[str, str]) -> Path | None:
    """Where corrections go; None where VARIABLE is not set or empty, and they are off.

    Raises ConfigError where what it names is no folder that can be written to.
    """
    if not (value := environment.get(VARIABLE, "")):
        return None
    folder = Path(value)
    fix = f"make the folder and give its whole path, or set {VARIABLE} empty: corrections are then off"
    if not folder.is_absolute():
        raise ConfigError(f"{VARIABLE} = {value!r} is not a whole path", fix)
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise ConfigError(f"{VARIABLE} = {value!r} is not a folder that can be written to", fix)
    return folder


def correct(
    request: Request,
    picture: Annotated[UploadFile, File(description="the page, as it was read")],
    correction: Annotated[str, Form(description="JSON: its lines, each with text and box")],
) -> dict[str, Any]:
    """Keeps a correction, and answers with its name and its files' names."""
    served = request.app.state.served
    folder = _open_folder(served.feedback)
    _require_own_page(request)
    sent = _parsed(correction)
    name, data = received(picture)
    with served.turn:
        grey = opened(data, name)
        content = sent.content(served.recognizer.digest)
        _require_sound(content, grey)
        kept = _keep(folder, grey, content)
    return {"correction": kept, "files": [f"{kept}.png", f"{kept}.json"], "lines": len(sent.lines)}


def _open_folder(folder: Path | None) -> Path:
    if folder is None:
        fix = f"whoever runs it turns them on with {VARIABLE}=FOLDER; nothing of what you sent was kept"
        raise HTTPException(403, {"error": "this service takes no corrections", "fix": fix})
    return folder


def _require_own_page(request: Request) -> None:
    """A page of another site must not make a person's browser send what the person never saw."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    host = request.headers.get("host")
    foreign = site not in ("same-origin", "none") if site else origin is not None and origin.split("//")[-1] != host
    if foreign:
        fix = "send it from the service's own page, or from a program"
        raise HTTPException(403, {"error": "this correction comes from a page of another site", "fix": fix})


def _parsed(correction: str) -> Sent:
    try:
        return Sent.model_validate_json(correction)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the field"
        what = f"the correction is not valid: {where}: {first['msg']}"
        raise HTTPException(422, {"error": what, "fix": FIX}) from None


def _require_sound(content: dict[str, Any], grey: np.ndarray) -> None:
    try:
        fault = feedback.first_fault(feedback.parse("correction", content, grey).form)
    except TextRecognizerError as error:
        refuse(error)
    if fault:
        fix = "give every line as it is written, with its box in pixels of the upright picture, from top to bottom"
        raise HTTPException(422, {"error": fault, "fix": fix})


def _keep(folder: Path, grey: np.ndarray, content: dict[str, Any]) -> str:
    stream = io.BytesIO()
    Image.fromarray(grey).save(stream, "PNG")
    try:
        if shutil.disk_usage(folder).free < SPARE_BYTES + stream.tell():
            raise OSError("the disk is nearly full")
        return feedback.add(folder, stream.getvalue(), ".png", content)
    except OSError as error:
        what = f"the correction could not be kept: {error.strerror or error}"
        raise HTTPException(507, {"error": what, "fix": "tell whoever runs this service; nothing was kept"}) from None
