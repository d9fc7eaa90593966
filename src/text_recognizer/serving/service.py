"""The BentoML service. BentoML brings the server and its health checks; our application answers all other requests.

BentoML imports this module, in the bento's own folder, to build a bento and to serve it.
"""

import logging
import os

import bentoml

from text_recognizer.core.layout import LAYOUT
from text_recognizer.inference import Recognizer
from text_recognizer.release.verdict_file import require_passed
from text_recognizer.serving.app import Opaque, create_app
from text_recognizer.serving.correction_store import open_feedback
from text_recognizer.serving.hosts import allowed_hosts
from text_recognizer.serving.observing import escape_arguments
from text_recognizer.serving.served import NAME, Served
from text_recognizer.serving.work import SECONDS

# The application ends a request in time, and its work with it. BentoML would end only the waiting.
SPARE_SECONDS = 60

app = create_app(allowed_hosts(os.environ))
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
    """Load the model and require its verdict. A bento of a rejected model does not start, however it was built."""

    def __init__(self) -> None:
        recognizer = Recognizer.load(LAYOUT.model)
        verdict = require_passed(LAYOUT.verdict, recognizer.digest)
        app.state.served = Served(recognizer, verdict, open_feedback(os.environ, recognizer.info))
