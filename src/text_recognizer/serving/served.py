"""What the application serves: the model, its verdict, and where corrections go."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from starlette.requests import Request

from text_recognizer.core.schemas import PassedVerdict, ServedModel
from text_recognizer.inference import Recognizer
from text_recognizer.serving import bento_version
from text_recognizer.serving.correction_store import FeedbackFolder
from text_recognizer.serving.reading_drift import PageWatch
from text_recognizer.serving.work import SECONDS, Turns

if TYPE_CHECKING:
    from text_recognizer.serving.takeover import Takeover

NAME = "text-recognizer"
WORK_VARIABLE = "TEXT_RECOGNIZER_WORK"  # a folder for what a process of the service leaves to the next one


def now() -> datetime:
    """Return the present second, in UTC."""
    return datetime.now(UTC).replace(microsecond=0)


@dataclass(frozen=True)
class Served:
    """The model that answers, and its verdict. `since` is when it began to.

    `feedback` says where corrections go; it is None if the service takes none. A request may take `seconds`. With
    `takeover`, another model takes its place when that is promoted. `watch` counts what is read.
    """

    recognizer: Recognizer
    verdict: PassedVerdict
    feedback: FeedbackFolder | None = None
    seconds: float = SECONDS
    turns: Turns = field(default_factory=Turns)
    since: datetime = field(default_factory=now)
    takeover: "Takeover | None" = None
    watch: PageWatch = field(default_factory=PageWatch)

    @property
    def model(self) -> ServedModel:
        """The model as every answer names it."""
        digest = self.recognizer.digest
        return ServedModel(name=NAME, version=bento_version(digest), digest=digest, runtime=self.recognizer.runtime)


def served_by(request: Request) -> Served:
    """Return what the application of a request serves."""
    served = request.app.state.served
    assert isinstance(served, Served)
    return served
