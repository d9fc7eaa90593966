"""The web application of the service: the page, and the HTTP interface that reads pictures and takes corrections."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, File, HTTPException, Request, UploadFile
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.exceptions import HTTPException as StarletteHTTPException

from text_recognizer import __version__
from text_recognizer.core.errors import DataError
from text_recognizer.core.schemas import (
    Canvas,
    KeptCorrection,
    ModelDescription,
    PassedVerdict,
    Problem,
    ReadPage,
    ReadPages,
    RequestLimits,
    ServedModel,
)
from text_recognizer.inference import Recognizer
from text_recognizer.pages.opening import MAX_PIXELS, OpenedPage
from text_recognizer.serving import bento_version, correction_endpoint
from text_recognizer.serving.limits import MAX_BYTES, BodyLimit
from text_recognizer.serving.uploads import decode_pages, read_upload, refuse

NAME = "text-recognizer"
MAX_PICTURES = 8  # files of a request
MAX_PAGES = 20  # of all files of a request together
PAGE = Path(__file__).with_name("page.html")
# The page is one file. With this policy a browser lets it connect to nothing but the service that sent it.
PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
FIXES = {
    400: "send multipart/form-data with the picture in a part named 'picture'",
    405: "POST a picture to /read or a correction to /corrections; GET / or /model",
    413: "send fewer or smaller pictures; 150 to 300 dpi are enough",
    422: "send the picture in a part named 'picture', with a file name",
}
PROBLEMS: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": description}
    for status, description in (
        (400, "the form cannot be parsed"),
        (413, "the request is too large"),
        (415, "the part is no picture and no PDF"),
        (422, "a file is damaged, too large or has too many pages, or a part is missing or not valid"),
    )
}
CORRECTION_PROBLEMS: dict[int | str, dict[str, Any]] = PROBLEMS | {
    403: {"model": Problem, "description": "corrections are off, or the request comes from a page of another site"},
    507: {"model": Problem, "description": "the disk is full"},
}
Pictures = Annotated[list[UploadFile], File(description=f"1 to {MAX_PICTURES} pictures or PDFs")]


@dataclass(frozen=True)
class Served:
    """The model that answers, and its verdict.

    `lock` lets one request at a time decode and read a page: it bounds the memory. `feedback` is the folder of the
    corrections; None if the service takes none.
    """

    recognizer: Recognizer
    verdict: PassedVerdict
    lock: threading.Lock
    feedback: Path | None = None

    @property
    def model(self) -> ServedModel:
        """The model as every answer names it."""
        digest = self.recognizer.digest
        return ServedModel(name=NAME, version=bento_version(digest), digest=digest, runtime=self.recognizer.runtime)


def create_app() -> FastAPI:
    """Return the application. The caller sets `app.state.served` before the first request."""
    app = FastAPI(title=NAME, version=__version__, docs_url=None, redoc_url=None)
    app.add_middleware(BodyLimit)
    app.add_api_route("/", page, methods=["GET"], response_class=HTMLResponse, include_in_schema=False)
    app.add_api_route("/model", model, methods=["GET"], response_model=ModelDescription)
    app.add_api_route("/read", read, methods=["POST"], response_model=ReadPage | ReadPages, responses=PROBLEMS)
    app.add_api_route(
        "/corrections",
        correction_endpoint.correct,
        methods=["POST"],
        status_code=201,
        response_model=KeptCorrection,
        responses=CORRECTION_PROBLEMS,
    )
    app.add_exception_handler(StarletteHTTPException, _answer_refusal)
    app.add_exception_handler(RequestValidationError, _answer_incomplete)
    app.add_exception_handler(Exception, _answer_failure)
    return app


def page() -> HTMLResponse:
    """Return the page for people."""
    return HTMLResponse(PAGE.read_text(encoding="utf-8"), headers=PAGE_HEADERS)


def model(request: Request) -> ModelDescription:
    """Describe the model that is served: its CER on the test pages, its digest, and the limits of a request."""
    served: Served = request.app.state.served
    info, verdict, named = served.recognizer.info, served.verdict, served.model
    return ModelDescription(
        name=named.name,
        version=named.version,
        digest=named.digest,
        runtime=named.runtime,
        package=__version__,
        model_class=info.model_class,
        canvas=Canvas(width=info.canvas_width, height=info.canvas_height, dpi=info.dpi),
        cer=verdict.cer,
        cer_interval=verdict.cer_interval,
        pages=verdict.pages,
        data=verdict.data,
        corrections=served.feedback is not None,
        limits=RequestLimits(
            bytes=MAX_BYTES,
            pixels=MAX_PIXELS,
            pictures=MAX_PICTURES,
            pages=MAX_PAGES,
            lines=correction_endpoint.MAX_LINES,
            characters=correction_endpoint.MAX_CHARACTERS,
        ),
    )


def read(request: Request, picture: Pictures) -> ReadPage | ReadPages:
    """Read the parts named `picture`: pictures, and files of several pages such as PDFs.

    The answer to one page is that page. The answer to several pages holds them as `pictures`, in order. Points and
    boxes are in pixels of the upright picture, origin top left; boxes are `(x, y, width, height)`. Confidences are in
    0..1. Printed lines are left out.
    """
    if len(picture) > MAX_PICTURES:
        problem = {"error": f"{len(picture)} pictures in one request", "fix": f"send at most {MAX_PICTURES}"}
        raise HTTPException(422, problem)
    served: Served = request.app.state.served
    pages: list[ReadPage] = []
    for name, data in [read_upload(part) for part in picture]:
        opened = decode_pages(data, name)
        pages.extend(iter(partial(_read_next, served, opened, MAX_PAGES - len(pages)), None))
    return pages[0] if len(pages) == 1 else ReadPages(pictures=tuple(pages), model=served.model)


def _read_next(served: Served, opened: Iterator[OpenedPage], limit: int) -> ReadPage | None:
    """Decode and read the next page of a file; None after the last. The file may have `limit` pages."""
    with served.lock:
        page = next(opened, None)
        if page is None:
            return None
        _require_pages(page, limit)
        try:
            found = served.recognizer.read(page.rgb).to_record()
        except DataError as error:
            refuse(error)
    return ReadPage(**dict(found), name=page.name, page=page.number, pages=page.count, model=served.model)


def _require_pages(page: OpenedPage, limit: int) -> None:
    if page.number == 1 and page.count > limit:
        what = f"{page.name} has {page.count:,} pages; a request may have {MAX_PAGES} pages in all its files"
        raise HTTPException(422, {"error": what, "fix": "split it, or read it with `text-recognizer read`"})


def _answer_refusal(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, StarletteHTTPException)
    detail: Any = error.detail
    body = detail if isinstance(detail, dict) else {"error": detail, "fix": FIXES.get(error.status_code, "")}
    return JSONResponse(body, error.status_code, headers=error.headers)


def _answer_incomplete(request: Request, _: Exception) -> JSONResponse:
    if request.url.path == "/corrections":
        return JSONResponse({"error": "the request lacks a part", "fix": correction_endpoint.FIX}, 422)
    return JSONResponse({"error": "the request has no picture in a part named 'picture'", "fix": FIXES[422]}, 422)


def _answer_failure(_: Request, error: Exception) -> JSONResponse:
    kind = type(error).__name__
    fix = "look for the cause in the server's log; try another picture"
    return JSONResponse({"error": f"the request failed ({kind})", "fix": fix}, 500)
