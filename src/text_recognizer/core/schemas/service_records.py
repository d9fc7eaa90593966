"""Records that the HTTP interface answers with."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field

from text_recognizer.core.schemas.page_records import Page
from text_recognizer.core.schemas.record_types import Count, Digest, Interval, Rate, Record


class ServedModel(Record):
    """The model that answers. `version` is the digest, shortened; `runtime` is what computes, and in which numbers."""

    name: str
    version: str
    digest: Digest
    runtime: str


class Problem(Record):
    """Why a request, or one file of it, was refused: problem details as in RFC 9457, and `fix`: what to do.

    `type` tells the kinds of problems apart. Programs must not parse the sentences.
    """

    type: str
    title: str
    status: Annotated[int, Field(ge=400, le=599)]
    detail: Annotated[str, Field(description="what was wrong, and with which file")]
    fix: str


class ReadPage(Page):
    """The answer to one page. Points and boxes are in pixels of the upright picture, which is `width` x `height`."""

    name: Annotated[str, Field(description="the name of the file")]
    page: Annotated[int, Field(ge=1, description="which page of the file, from 1")] = 1
    pages: Annotated[int, Field(ge=1, description="how many pages the file has")] = 1
    model: ServedModel


class UnreadPage(Record):
    """A file, or a page of it, that could not be read, beside others that were."""

    name: Annotated[str, Field(description="the name of the file")]
    page: Annotated[int, Field(ge=1, description="which page of the file, from 1")] = 1
    problem: Problem


class ReadPages(Record):
    """The answer to several pages: those of each file, in the order in which the files were sent.

    A page that could not be read has its problem in place of its text. It does not keep others from being read.
    """

    pictures: tuple[ReadPage | UnreadPage, ...]
    model: ServedModel


class Canvas(Record):
    """The picture that the network takes: pixels, and their resolution."""

    width: int
    height: int
    dpi: int


class RequestLimits(Record):
    """How large a request may be."""

    bytes: Annotated[int, Field(description="of the body of a request")]
    pixels: Annotated[int, Field(description="of a page")]
    pictures: Annotated[int, Field(description="files of a request to /read")]
    pages: Annotated[int, Field(description="of all files of a request to /read together")]
    lines: Annotated[int, Field(description="of a correction")]
    characters: Annotated[int, Field(description="of a line of a correction")]


class RefusedModel(Record):
    """A model that was put into service but is not served: why, and since when."""

    reason: str
    when: datetime


class ModelDescription(ServedModel):
    """The model that is served: what it is, its CER on the test pages, and the limits of a request."""

    model_config = ConfigDict(populate_by_name=True)

    package: Annotated[str, Field(description="version of the package text-recognizer")]
    model_class: Annotated[str, Field(alias="class")]
    canvas: Canvas
    cer: Rate
    cer_interval: Interval
    pages: Annotated[Count | None, Field(description="number of test pages")]
    data: Annotated[Digest | None, Field(description="of the test pages")]
    corrections: Annotated[bool, Field(description="whether POST /corrections is on")]
    limits: RequestLimits
    since: Annotated[datetime, Field(description="when this process began to answer with the model, in UTC")]
    refused: Annotated[RefusedModel | None, Field(description="a newer model that failed, if there is one")] = None


class KeptCorrection(Record):
    """The answer to a correction: the name it was kept under, and its files.

    A correction with `problems` is kept, but the pipeline will not train on it until its operator solves them.
    """

    correction: str
    files: tuple[str, ...]
    lines: Annotated[Count, Field(description="number of lines")]
    left_out: Annotated[tuple[str, ...], Field(description="lines that cannot be trained on, and why")] = ()
    problems: tuple[str, ...] = ()
    waiting: Annotated[bool, Field(description="whether a person has to accept it before it is trained on")] = False


class JobStatus(Record):
    """A job: how far it is, and until when its result is kept. A job that has not ended does not expire."""

    id: str
    state: Literal["waiting", "running", "done", "failed"] = "waiting"
    pages_read: Annotated[Count, Field(description="pages that were read, or could not be")] = 0
    created: datetime
    expires: datetime | None = None
    result: Annotated[str | None, Field(description="the path of the result, once the job is done")] = None
    problem: Annotated[Problem | None, Field(description="why the job failed")] = None


class DriftFigure(Record):
    """A figure of the pages that were read last, and of the pages that the model was scored on."""

    name: str
    recent: float
    expected: float
    drifted: bool


class Drift(Record):
    """Whether the pages that are read resemble those that the model was scored on.

    Nothing counts as drifted before `needed` pages were read. The last `window` pages are compared. Without the score
    of the model, there are no figures.
    """

    pages: Count
    needed: Count
    window: Count
    figures: tuple[DriftFigure, ...]
    drifted: bool
