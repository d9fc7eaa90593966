"""The BentoML service. BentoML brings the server, its health checks and its metrics; our application answers.

BentoML imports this module, in the bento's own folder, to build a bento and to serve it.
"""

import os
import threading

import bentoml

from text_recognizer.core.layout import LAYOUT
from text_recognizer.inference import Recognizer
from text_recognizer.release.verdict_file import require_passed
from text_recognizer.serving import correction_endpoint
from text_recognizer.serving.app import NAME, Served, create_app

TIMEOUT_SECONDS = 300  # enough for the most pages of a request on a slow machine
MAX_WAITING = 32

app = create_app()


@bentoml.service(name=NAME, workers=1, traffic={"timeout": TIMEOUT_SECONDS, "max_concurrency": MAX_WAITING})
@bentoml.asgi_app(app, path="/")
class Service:
    """Load the model and require its verdict. A bento of a rejected model does not start, however it was built."""

    def __init__(self) -> None:
        recognizer = Recognizer.load(LAYOUT.model)
        verdict = require_passed(LAYOUT.verdict, recognizer.digest)
        feedback = correction_endpoint.feedback_folder(os.environ)
        app.state.served = Served(recognizer, verdict, threading.Lock(), feedback)
