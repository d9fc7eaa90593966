"""What the application serves: the model, its verdict, and where corrections go."""

from dataclasses import dataclass, field

from starlette.requests import Request

from text_recognizer.core.schemas import PassedVerdict, ServedModel
from text_recognizer.inference import Recognizer
from text_recognizer.serving import bento_version
from text_recognizer.serving.correction_store import FeedbackFolder
from text_recognizer.serving.work import SECONDS, Turns

NAME = "text-recognizer"


@dataclass(frozen=True)
class Served:
    """The model that answers, and its verdict.

    `feedback` says where corrections go; it is None if the service takes none. A request may take `seconds`.
    """

    recognizer: Recognizer
    verdict: PassedVerdict
    feedback: FeedbackFolder | None = None
    seconds: float = SECONDS
    turns: Turns = field(default_factory=Turns)

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
