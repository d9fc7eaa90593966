"""Take corrections that people send: check them and keep them in the feedback folder. See docs/corrections.md.

Corrections are off unless the environment variable FEEDBACK_VARIABLE names the folder. The service keeps the picture in
grey without its metadata, the lines, the time and the model. It does not keep who sent them.
"""

import io
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import numpy as np
from fastapi import File, Form, HTTPException, Request, UploadFile
from PIL import Image
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from text_recognizer.core.errors import ConfigError, TextRecognizerError
from text_recognizer.core.geometry import Box
from text_recognizer.core.schemas import KeptCorrection
from text_recognizer.corpora import corrections
from text_recognizer.pages.line_finding import Upright
from text_recognizer.pages.opening import MAX_PAGES
from text_recognizer.serving.uploads import decode_pages, read_upload, refuse

FEEDBACK_VARIABLE = "TEXT_RECOGNIZER_FEEDBACK"
MAX_LINES, MAX_CHARACTERS, MAX_NAME = 100, 500, 100
# Anybody may send corrections, so they must not fill the disk.
SPARE_BYTES = 1 << 30
FIX = "send the picture in a part named 'picture' and JSON in a part named 'correction': docs/corrections.md"


def _require_printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("it has characters that cannot be printed")
    return text


class SentLine(BaseModel):
    """A line of a correction. The box is (x, y, width, height) in pixels of the upright picture."""

    model_config = ConfigDict(allow_inf_nan=False)

    text: Annotated[str, Field(max_length=MAX_CHARACTERS)]
    box: Annotated[list[float], Field(min_length=4, max_length=4)]


class SentCorrection(BaseModel):
    """The form field `correction`: the JSON of a correction without the time and the format, which the service adds.

    `page` says which page of the file it is, and `turn` by how many degrees clockwise the page is turned before it is
    kept: both as in the answer of /read.
    """

    model_config = ConfigDict(allow_inf_nan=False)

    lines: Annotated[list[SentLine], Field(min_length=1, max_length=MAX_LINES)]
    model: Annotated[str | None, Field(pattern="^[0-9a-f]{64}$")] = None
    writer: Annotated[str | None, Field(min_length=1, max_length=MAX_NAME), AfterValidator(_require_printable)] = None
    dpi: Annotated[float | None, Field(ge=20, le=2400)] = None
    page: Annotated[int, Field(ge=1, le=MAX_PAGES)] = 1
    turn: Annotated[int, Field(ge=0, lt=360, multiple_of=90)] = 0

    def record(self, model: str, turned: "TurnedPage") -> corrections.CorrectionRecord:
        """Return the JSON to keep. `model` is the digest of the model that is served; the client may name another."""
        lines = [(line.text, turned.box(line.box)) for line in self.lines]
        return corrections.new_record(lines, self.model or model, datetime.now(UTC), self.writer, self.dpi)


@dataclass(frozen=True)
class TurnedPage:
    """A page that was turned upright: `grey`, uint8 (H, W), after `turn` degrees clockwise."""

    grey: np.ndarray
    turn: int

    @classmethod
    def of(cls, rgb: np.ndarray, turn: int) -> "TurnedPage":
        """Turn a picture, uint8 RGB (H, W, 3), and make it grey."""
        grey = np.asarray(Image.fromarray(rgb).convert("L"))
        return cls(Upright(turn // 90, (grey.shape[0], grey.shape[1])).apply(grey), turn)

    def box(self, box: Sequence[float]) -> Sequence[float]:
        """Convert a box of the picture to one of the page."""
        if not self.turn:
            return box
        back = Upright(4 - self.turn // 90, (self.grey.shape[0], self.grey.shape[1]))
        return back.box(Box(*(round(edge) for edge in box)))


def feedback_folder(environment: Mapping[str, str]) -> Path | None:
    """Return the folder for corrections; None if FEEDBACK_VARIABLE is not set or empty: corrections are then off.

    Raises ConfigError if the path is relative, or is not a folder that can be written to.
    """
    if not (value := environment.get(FEEDBACK_VARIABLE, "")):
        return None
    folder = Path(value)
    fix = f"make the folder and give its absolute path, or set {FEEDBACK_VARIABLE} empty to turn corrections off"
    if not folder.is_absolute():
        raise ConfigError(f"{FEEDBACK_VARIABLE} = {value!r} is not an absolute path", fix)
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise ConfigError(f"{FEEDBACK_VARIABLE} = {value!r} is not a folder that can be written to", fix)
    return folder


def correct(
    request: Request,
    picture: Annotated[UploadFile, File(description="the page, as it was read")],
    correction: Annotated[str, Form(description="JSON: the lines of the page, each with its text and box")],
) -> KeptCorrection:
    """Keep a correction. The answer names it and its files."""
    served = request.app.state.served
    folder = _require_folder(served.feedback)
    _require_same_site(request)
    sent = _parse(correction)
    name, data = read_upload(picture)
    with served.lock:
        page = TurnedPage.of(next(decode_pages(data, name, [sent.page])).rgb, sent.turn)
        record = _require_valid(sent, served.recognizer.digest, page)
        kept = _keep(folder, page.grey, record)
    return KeptCorrection(correction=kept, files=(f"{kept}.png", f"{kept}.json"), lines=len(sent.lines))


def _require_folder(folder: Path | None) -> Path:
    if folder is None:
        fix = f"the operator can turn them on with {FEEDBACK_VARIABLE}=FOLDER; nothing that you sent was kept"
        raise HTTPException(403, {"error": "this service takes no corrections", "fix": fix})
    return folder


def _require_same_site(request: Request) -> None:
    """Refuse a request that a page of another site makes a browser send: its user would not know of it."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    host = request.headers.get("host")
    foreign = site not in ("same-origin", "none") if site else origin is not None and origin.split("//")[-1] != host
    if foreign:
        fix = "send it from the service's own page, or from a program"
        raise HTTPException(403, {"error": "this correction comes from a page of another site", "fix": fix})


def _parse(correction: str) -> SentCorrection:
    try:
        return SentCorrection.model_validate_json(correction)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the field"
        what = f"the correction is not valid: {where}: {first['msg']}"
        raise HTTPException(422, {"error": what, "fix": FIX}) from None


def _require_valid(sent: SentCorrection, model: str, page: TurnedPage) -> corrections.CorrectionRecord:
    """Return the record to keep. Refuse with status 422 what the validation of the corrections would refuse later."""
    try:
        record = sent.record(model, page)
        problem = corrections.first_label_error(corrections.to_correction("correction", record, page.grey).form)
    except TextRecognizerError as error:
        refuse(error)
    if problem:
        fix = "send every line as it is written, with its box in pixels of the upright picture, from top to bottom"
        raise HTTPException(422, {"error": problem, "fix": fix})
    return record


def _keep(folder: Path, grey: np.ndarray, record: corrections.CorrectionRecord) -> str:
    stream = io.BytesIO()
    Image.fromarray(grey).save(stream, "PNG")
    try:
        if shutil.disk_usage(folder).free < SPARE_BYTES + stream.tell():
            raise OSError("the disk is nearly full")
        return corrections.save(folder, stream.getvalue(), ".png", record)
    except OSError as error:
        what = f"the correction could not be kept: {error.strerror or error}"
        raise HTTPException(
            507, {"error": what, "fix": "tell the operator of this service; nothing was kept"}
        ) from None
