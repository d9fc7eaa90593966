"""The BentoML service. BentoML brings the server and its health checks; our application answers all other requests.

BentoML imports this module, in the bento's own folder, to build a bento and to serve it.
"""

import logging
import os
import tempfile
import threading
from pathlib import Path

import bentoml

from text_recognizer.core.errors import ModelError
from text_recognizer.core.layout import LAYOUT
from text_recognizer.inference import Recognizer
from text_recognizer.release.verdict_file import require_passed
from text_recognizer.serving.app import Opaque, create_app
from text_recognizer.serving.correction_store import open_feedback
from text_recognizer.serving.jobs import Jobs
from text_recognizer.serving.observing import escape_arguments
from text_recognizer.serving.reading_drift import Reference
from text_recognizer.serving.served import NAME, WORK_VARIABLE, Served
from text_recognizer.serving.settings import Settings
from text_recognizer.serving.takeover import CHAMPION_VARIABLE, Candidate, Takeover, exchanged, probe, watch
from text_recognizer.serving.work import SECONDS

logger = logging.getLogger(__name__)

# The application ends a request in time, and its work with it. BentoML would end only the waiting.
SPARE_SECONDS = 60

app = create_app(Settings.of(os.environ))
for name in ("bentoml.access", "uvicorn.access"):
    logging.getLogger(name).addFilter(escape_arguments)


# BentoML's own metrics have a label for every path that anybody asks for.
@bentoml.service(
    name=NAME,
    workers=1,
    traffic={"timeout": SECONDS + SPARE_SECONDS},
    metrics={"enabled": False},
    http={"host": "127.0.0.1"},
)
@bentoml.asgi_app(Opaque(app), path="/")
class Service:
    """Load the model and require its verdict. A bento of a rejected model does not start, however it was built.

    With CHAMPION_VARIABLE, the model in that folder is served, and whatever comes there later is taken over.
    """

    def __init__(self) -> None:
        self._stopped = threading.Event()
        self._scratch = tempfile.TemporaryDirectory(prefix="text-recognizer-")
        work = Path(os.environ.get(WORK_VARIABLE) or self._scratch.name)
        champion = os.environ.get(CHAMPION_VARIABLE, "")
        takeover = Takeover(Path(champion), work) if champion else None
        model = (takeover and takeover.first()) or _model_of_the_bento()
        feedback = open_feedback(os.environ, model.recognizer.info)
        app.state.served = Served(model.recognizer, model.verdict, feedback, takeover=takeover)
        app.state.served.watch.begin(model.recognizer.digest, model.reference)
        app.state.jobs = Jobs(work / "jobs", lambda: app.state.served)
        if takeover:
            threading.Thread(target=watch, args=(takeover, _swap, self._stopped), daemon=True).start()

    @bentoml.on_shutdown
    def stop(self) -> None:
        """End the watching."""
        self._stopped.set()
        self._scratch.cleanup()


def _model_of_the_bento() -> Candidate:
    recognizer = Recognizer.load(LAYOUT.model)
    verdict = require_passed(LAYOUT.verdict, recognizer.digest)
    try:
        probe(recognizer)  # so that the first request finds the networks loaded
    except ModelError as error:
        logger.warning("%s", error)
    return Candidate(recognizer, verdict, Reference.read(LAYOUT.score))


def _swap(candidate: Candidate) -> None:
    before = app.state.served
    app.state.served = exchanged(before, candidate)
    logger.warning("model %s takes over from %s", candidate.recognizer.digest[:12], before.recognizer.digest[:12])
