"""The web application of the service: the page, and the HTTP interface that reads pictures and takes corrections."""

from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from text_recognizer import __version__
from text_recognizer.core.schemas import (
    Canvas,
    KeptCorrection,
    ModelDescription,
    Problem,
    ReadPage,
    ReadPages,
    RequestLimits,
)
from text_recognizer.pages.opening import MAX_PIXELS
from text_recognizer.serving import correction_endpoint, problems
from text_recognizer.serving.formats import MEDIA_TYPES
from text_recognizer.serving.hosts import KnownHosts
from text_recognizer.serving.limits import MAX_BYTES, BodyLimit, RequestCount
from text_recognizer.serving.observing import Counted, Metrics
from text_recognizer.serving.reading import MAX_PAGES, MAX_PICTURES, read
from text_recognizer.serving.served import NAME, served_by

PAGE = Path(__file__).with_name("page.html")
# The page is one file. With this policy a browser lets it connect to nothing but the service that sent it.
PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
REFUSALS = {
    400: "the form cannot be parsed",
    408: "the body arrives too slowly",
    413: "the request is too large",
    415: "the part is no picture and no PDF",
    422: "a file is damaged, too large or has too many pages, or a part is missing or not valid",
    429: "the address has too many requests in progress",
    503: "the server is busy, or the time of the request is over",
}
READ_REFUSALS = REFUSALS | {406: "none of the formats that the header Accept admits"}
CORRECTION_REFUSALS = REFUSALS | {
    403: "corrections are off, or the request comes from a page of another site",
    507: "the disk or the quota of corrections is full",
}


def create_app(hosts: frozenset[str] = frozenset()) -> FastAPI:
    """Return the application. The caller sets `app.state.served` before the first request.

    With `hosts`, requests for other hosts are refused.
    """
    app = FastAPI(title=NAME, version=__version__, docs_url=None, redoc_url=None)
    metrics = Metrics()
    app.add_api_route("/metrics", metrics.page, methods=["GET"], include_in_schema=False)
    for method in ("GET", "HEAD"):
        app.add_api_route("/", page, methods=[method], response_class=HTMLResponse, include_in_schema=False)
        app.add_api_route("/model", model, methods=[method], include_in_schema=method == "GET")
    app.add_api_route(
        "/read",
        read,
        methods=["POST"],
        response_model=ReadPage | ReadPages,
        responses={200: {"content": _other_formats()}, **_described(READ_REFUSALS)},
    )
    app.add_api_route(
        "/corrections",
        correction_endpoint.correct,
        methods=["POST"],
        status_code=201,
        response_model=KeptCorrection,
        responses=_described(CORRECTION_REFUSALS),
    )
    app.add_exception_handler(HTTPException, problems.answer_refusal)
    app.add_exception_handler(RequestValidationError, problems.answer_incomplete)
    app.add_exception_handler(Exception, problems.answer_failure)
    _add_limits(app, metrics, hosts)
    return app


def _add_limits(app: FastAPI, metrics: Metrics, hosts: frozenset[str]) -> None:
    """Add what looks at each request before the endpoints do; what is added last comes first."""
    known = {route.path for route in app.routes}  # type: ignore[attr-defined]
    app.add_middleware(BodyLimit)
    app.add_middleware(RequestCount)
    app.add_middleware(KnownHosts, hosts=hosts)
    app.add_middleware(Counted, metrics=metrics, known=known)


class Opaque:
    """An ASGI application that BentoML passes every request on to.

    BentoML looks into applications of Starlette, and answers itself what they have no route for.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


def _described(refusals: dict[int, str]) -> dict[int | str, dict[str, Any]]:
    """Return what /openapi.json says about refusals."""
    schema = {"schema": {"$ref": f"#/components/schemas/{Problem.__name__}"}}
    return {
        status: {"description": what, "content": {problems.MEDIA_TYPE: schema}} for status, what in refusals.items()
    }


def _other_formats() -> dict[str, Any]:
    return {name.partition(";")[0]: {} for kind, name in MEDIA_TYPES.items() if kind != "json"}


def page() -> HTMLResponse:
    """Return the page for people."""
    return HTMLResponse(PAGE.read_text(encoding="utf-8"), headers=PAGE_HEADERS)


def model(request: Request) -> ModelDescription:
    """Describe the model that is served: its CER on the test pages, its digest, and the limits of a request."""
    served = served_by(request)
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
