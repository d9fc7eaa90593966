"""The BentoML service: BentoML brings the server, its health checks and metrics; the application answers.

BentoML imports this module, in the bento's own folder, to build a bento and to serve it.
"""

import os
import threading

import bentoml

from text_recognizer import paths
from text_recognizer.inference import Recognizer
from text_recognizer.serving import corrections
from text_recognizer.serving.app import NAME, Served, create_app
from text_recognizer.serving.verdict import accepted

SECONDS = 120
WAITING = 32

app = create_app()


@bentoml.service(name=NAME, workers=1, traffic={"timeout": SECONDS, "max_concurrency": WAITING})
@bentoml.asgi_app(app, path="/")
class Service:
    """Ready once the model is loaded. A bento whose model has not passed, however it was built, does not start."""

    def __init__(self) -> None:
        recognizer = Recognizer.load(paths.MODEL)
        verdict = accepted(paths.VERDICT, recognizer.digest)
        app.state.served = Served(recognizer, verdict, threading.Lock(), corrections.folder_of(os.environ))
