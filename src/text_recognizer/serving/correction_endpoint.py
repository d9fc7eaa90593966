"""Take corrections that people send: check them and keep them in the feedback folder. See docs/corrections.md.

The service keeps the picture in grey without its metadata, the lines, the time, the model, and the name of the token
if the service has tokens. It keeps nothing else of who sent them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Annotated

import numpy as np
from fastapi import File, Form, Request, UploadFile
from fastapi import Path as PathParameter
from PIL import Image
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import Response

from text_recognizer.core.errors import TextRecognizerError
from text_recognizer.core.geometry import Box
from text_recognizer.core.schemas import KeptCorrection
from text_recognizer.corpora import corrections
from text_recognizer.pages.line_finding import Upright
from text_recognizer.pages.opening import MAX_PAGES
from text_recognizer.preprocess.crop_jobs import crop_picture
from text_recognizer.serving import review
from text_recognizer.serving.correction_store import FEEDBACK_VARIABLE, FeedbackFolder, KeptPicture
from text_recognizer.serving.problems import CORRECTION_FIX, RequestError, refuse
from text_recognizer.serving.served import served_by
from text_recognizer.serving.tokens import token_of
from text_recognizer.serving.uploads import Upload
from text_recognizer.serving.work import Task, finish
from text_recognizer.validation import correction_checks
from text_recognizer.validation.crop_validation import crop_fault

MAX_LINES, MAX_CHARACTERS, MAX_NAME = 100, 500, 100
CorrectionName = Annotated[str, PathParameter(pattern=f"^{corrections.NAME.pattern}$", max_length=MAX_NAME)]


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


@dataclass(frozen=True)
class CorrectionTask:
    """A correction to check and to keep."""

    task: Task
    feedback: FeedbackFolder
    model: str
    sent: SentCorrection
    part: UploadFile
    source: str | None


async def correct(
    request: Request,
    picture: Annotated[UploadFile, File(description="the page, as it was read")],
    correction: Annotated[str, Form(description="JSON: the lines of the page, each with its text and box")],
) -> KeptCorrection:
    """Keep a correction. The answer names it and its files, and what keeps it or some of its lines from training."""
    served = served_by(request)
    feedback = _require_feedback(served.feedback)
    _require_same_site(request)
    task = Task(served.seconds)
    work = CorrectionTask(task, feedback, served.recognizer.digest, _parse(correction), picture, _source(request))
    kept = await finish(request, task, served.turns.take(partial(_check_and_keep, work)))
    served.watch.corrections.inc()
    return kept


def _check_and_keep(work: CorrectionTask) -> KeptCorrection:
    work.task.check()
    upload, sent = Upload.of(work.part), work.sent
    page = TurnedPage.of(upload.page(sent.page).rgb, sent.turn)
    try:
        record = sent.record(work.model, page)
        correction = corrections.to_correction("correction", record, page.grey)
        problems = _check(correction, work.feedback.limits)
    except TextRecognizerError as error:
        refuse(error)
    work.task.check()
    picture = KeptPicture.of(page.grey, upload.data)
    name = work.feedback.keep(picture, record, work.source)
    files = f"{name}{picture.suffix}", f"{name}.json"
    return KeptCorrection(
        correction=name,
        files=files,
        lines=len(sent.lines),
        left_out=correction.left_out,
        problems=problems,
        waiting=work.feedback.review,
    )


async def take_back(
    request: Request,
    correction: Annotated[str, PathParameter(pattern=f"^{corrections.NAME.pattern}$", max_length=MAX_NAME)],
) -> Response:
    """Remove a correction with its picture. A token may remove what was sent with it, and one of an admin everything.

    A service without tokens removes it for whoever knows its name, which only the answer to the correction has.
    """
    feedback = _require_feedback(request.app.state.served.feedback)
    _require_same_site(request)
    try:
        place = review.find(feedback.path, correction)
        token = token_of(request.scope)
        if token and not token.allows("admin") and review.source_of(place, correction) != token.name:
            raise RequestError(403, f"{correction} was not sent with this token", "use the token that it was sent with")
        review.delete(feedback.path, correction)
    except TextRecognizerError as error:
        refuse(error, 404)
    return Response(status_code=204)


def _source(request: Request) -> str | None:
    token = token_of(request.scope)
    return token.name if token else None


def _check(correction: corrections.Correction, limits: correction_checks.CorrectionLimits) -> tuple[str, ...]:
    """Check a correction as the pipeline will. Return what its operator has to change; refuse all other faults."""
    faults = correction_checks.examine(correction, limits).faults(limits)
    own = [fault for fault in faults if fault.rule not in correction_checks.OF_THE_PIPELINE]
    if own:
        fixes = dict.fromkeys(fault.fix for fault in own)
        raise RequestError(422, "; ".join(fault.what for fault in own), "; ".join(fixes))
    if faults:
        return tuple(f"{fault.what}; the operator of this service can {fault.fix}" for fault in faults)
    crop = crop_picture(correction.id, correction.form, correction.picture, limits.section)
    assert crop.canvas is not None
    assert crop.page
    if fault := crop_fault(crop.canvas, crop.page, crop.lines, limits.section):
        raise RequestError(422, fault, "look at the boxes of the lines, and at the dpi")
    return ()


def _require_feedback(feedback: FeedbackFolder | None) -> FeedbackFolder:
    if feedback is None:
        fix = f"the operator can turn them on with {FEEDBACK_VARIABLE}=FOLDER; nothing that you sent was kept"
        raise RequestError(403, "this service takes no corrections", fix)
    return feedback


def _require_same_site(request: Request) -> None:
    """Refuse a request that a page of another site makes a browser send: its user would not know of it."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    host = request.headers.get("host")
    foreign = site not in ("same-origin", "none") if site else origin is not None and origin.split("//")[-1] != host
    if foreign:
        fix = "send it from the service's own page, or from a program"
        raise RequestError(403, "this correction comes from a page of another site", fix)


def _parse(correction: str) -> SentCorrection:
    try:
        return SentCorrection.model_validate_json(correction)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the field"
        raise RequestError(422, f"the correction is not valid: {where}: {first['msg']}", CORRECTION_FIX) from None
