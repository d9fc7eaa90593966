"""The web application that the service mounts: the page, the endpoint that reads pictures, and what is served."""

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, File, HTTPException, Request, UploadFile
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.exceptions import HTTPException as StarletteHTTPException

from text_recognizer import __version__
from text_recognizer.errors import DataError
from text_recognizer.images import MAX_PIXELS
from text_recognizer.inference import Recognizer
from text_recognizer.serving import corrections, version_of
from text_recognizer.serving.limits import MAX_BYTES, BodyLimit
from text_recognizer.serving.pictures import opened, received, refuse
from text_recognizer.serving.verdict import Verdict

NAME = "text-recognizer"
MAX_PICTURES = 8
PAGE = Path(__file__).with_name("page.html")
# The page is one file: a browser that holds it to this can reach nothing but the service it came from.
PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
FIXES = {
    400: "send multipart/form-data with the picture in a part named 'picture'",
    405: "POST a picture to /read, a correction to /corrections; GET / and /model",
    413: "send a smaller picture; 150 to 300 dpi are enough",
    422: "send the picture in a part named 'picture', with a file name",
}
Pictures = Annotated[list[UploadFile], File(description=f"1 to {MAX_PICTURES} pictures of one paragraph each")]


@dataclass(frozen=True)
class Served:
    """The model that answers and what the gate found about it; `turn` lets one picture at a time into memory.

    `feedback` is the folder that corrections go to, None where none are taken.
    """

    recognizer: Recognizer
    verdict: Verdict
    turn: threading.Lock
    feedback: Path | None = None

    @property
    def version(self) -> str:
        return version_of(self.recognizer.digest)


def create_app() -> FastAPI:
    """The application; whoever starts it sets `app.state.served` before the first request."""
    app = FastAPI(title=NAME, version=__version__, docs_url=None, redoc_url=None)
    app.add_middleware(BodyLimit)
    app.add_api_route("/", page, methods=["GET"], response_class=HTMLResponse, include_in_schema=False)
    app.add_api_route("/model", model, methods=["GET"])
    app.add_api_route("/read", read, methods=["POST"])
    app.add_api_route("/corrections", corrections.correct, methods=["POST"], status_code=201)
    app.add_exception_handler(StarletteHTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _incomplete)
    app.add_exception_handler(Exception, _failed)
    return app


def page() -> HTMLResponse:
    return HTMLResponse(PAGE.read_text(encoding="utf-8"), headers=PAGE_HEADERS)


def model(request: Request) -> dict[str, Any]:
    """What is served: the model, its test CER with its interval, the data behind it, and the limits of a request."""
    served: Served = request.app.state.served
    info, verdict = served.recognizer.info, served.verdict
    return {
        **_named(served),
        "package": __version__,
        "class": info.model_class,
        "canvas": {"width": info.canvas_width, "height": info.canvas_height, "dpi": info.dpi},
        "cer": verdict.cer,
        "cer_interval": verdict.cer_interval,
        "pages": verdict.pages,
        "data": verdict.data,
        "corrections": served.feedback is not None,
        "limits": {
            "bytes": MAX_BYTES,
            "pixels": MAX_PIXELS,
            "pictures": MAX_PICTURES,
            "lines": corrections.MAX_LINES,
            "characters": corrections.MAX_CHARACTERS,
        },
    }


def read(request: Request, picture: Pictures) -> dict[str, Any]:
    """Reads the parts named `picture`: one gives its reading; several give `pictures`, in order, each with its name.

    Boxes are `(x, y, width, height)` in pixels of the upright picture, origin top left; confidences are in 0..1.
    """
    if len(picture) > MAX_PICTURES:
        raise HTTPException(
            422, {"error": f"{len(picture)} pictures in one request", "fix": f"send at most {MAX_PICTURES}"}
        )
    served: Served = request.app.state.served
    readings = [_read(served, part) for part in picture]
    return readings[0] if len(readings) == 1 else {"pictures": readings, "model": _named(served)}


def _read(served: Served, part: UploadFile) -> dict[str, Any]:
    name, data = received(part)
    with served.turn:
        grey = opened(data, name)
        try:
            reading = served.recognizer.read(grey)
        except DataError as error:
            refuse(error)
    height, width = grey.shape
    return {**reading.as_dict(), "name": name, "width": width, "height": height, "model": _named(served)}


def _named(served: Served) -> dict[str, str]:
    return {"name": NAME, "version": served.version, "digest": served.recognizer.digest}


def _refused(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, StarletteHTTPException)
    detail: Any = error.detail
    body = detail if isinstance(detail, dict) else {"error": detail, "fix": FIXES.get(error.status_code, "")}
    return JSONResponse(body, error.status_code, headers=error.headers)


def _incomplete(request: Request, _: Exception) -> JSONResponse:
    if request.url.path == "/corrections":
        return JSONResponse({"error": "the request is no correction", "fix": corrections.FIX}, 422)
    return JSONResponse({"error": "the request has no picture in a part named 'picture'", "fix": FIXES[422]}, 422)


def _failed(_: Request, error: Exception) -> JSONResponse:
    kind = type(error).__name__
    fix = "the server's log says more; try another picture"
    return JSONResponse({"error": f"the picture could not be read ({kind})", "fix": fix}, 500)
