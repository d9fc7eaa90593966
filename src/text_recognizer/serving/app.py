"""The web application of the service: the page, and the HTTP interface that reads pictures and takes corrections."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, HTMLResponse, Response
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from text_recognizer import __version__
from text_recognizer.core.schemas import (
    Canvas,
    Drift,
    KeptCorrection,
    ModelDescription,
    Problem,
    ReadPage,
    ReadPages,
    RequestLimits,
)
from text_recognizer.pages.opening import MAX_PIXELS
from text_recognizer.serving import correction_endpoint, export_endpoint, job_endpoints, problems
from text_recognizer.serving.api_docs import add_docs
from text_recognizer.serving.formats import EVENTS, MEDIA_TYPES
from text_recognizer.serving.hosts import KnownHosts, RootPath
from text_recognizer.serving.limits import MAX_BYTES, BodyLimit, RateLimit, RequestCount
from text_recognizer.serving.observing import Counted, Metrics
from text_recognizer.serving.page_assembly import page_html
from text_recognizer.serving.read_endpoint import read
from text_recognizer.serving.reading import MAX_PAGES
from text_recognizer.serving.sent_files import BODY, MAX_PICTURES
from text_recognizer.serving.served import NAME, served_by
from text_recognizer.serving.settings import Settings
from text_recognizer.serving.takeover import KNOWN_PICTURE
from text_recognizer.serving.tokens import Authorised

# The page is one file. With this policy a browser lets it connect to nothing but the service that sent it.
PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}
Described = dict[int | str, dict[str, Any]]
REFUSALS = {
    400: "the form cannot be parsed",
    401: "the service has tokens, and the request has none of them",
    408: "the body arrives too slowly",
    413: "the request is too large",
    415: "the part is no picture and no PDF",
    422: "a file is damaged, too large or has too many pages, or a part is missing or not valid",
    429: "the client has too many requests in progress, or sends too many a minute",
    503: "the server is busy, or the time of the request is over",
}
READ_REFUSALS = REFUSALS | {406: "none of the formats that the header Accept admits"}
CORRECTION_REFUSALS = REFUSALS | {
    403: "corrections are off, or the request comes from a page of another site",
    507: "the disk or the quota of corrections is full",
}


def create_app(settings: Settings = Settings()) -> FastAPI:  # noqa: B008
    """Return the application. The caller sets `app.state.served` and `app.state.jobs` before the first request."""
    app = FastAPI(title=NAME, version=__version__, docs_url=None, redoc_url=None)
    metrics = Metrics()
    app.add_api_route("/metrics", metrics.page, methods=["GET"], include_in_schema=False)
    app.add_api_route("/drift", drift, methods=["GET"], responses=_described({}))
    for method in ("GET", "HEAD"):
        app.add_api_route("/", page, methods=[method], response_class=HTMLResponse, include_in_schema=False)
        app.add_api_route("/sample.png", sample, methods=[method], include_in_schema=False)
        app.add_api_route(
            "/model", model, methods=[method], include_in_schema=method == "GET", responses=_described({})
        )
    _add_reading(app)
    _add_jobs(app)
    _add_corrections(app)
    add_docs(app)
    app.add_exception_handler(HTTPException, problems.answer_refusal)
    app.add_exception_handler(RequestValidationError, problems.answer_incomplete)
    app.add_exception_handler(Exception, problems.answer_failure)
    _add_limits(app, metrics, settings)
    return app


def _add_reading(app: FastAPI) -> None:
    """Add what reads a page and what writes one that was read."""
    app.add_api_route(
        "/read",
        read,
        methods=["POST"],
        response_model=ReadPage | ReadPages,
        responses=_answers(*_other_formats(), EVENTS) | _described(READ_REFUSALS),
        openapi_extra=BODY,
    )
    formats = _answers(MEDIA_TYPES["json"], *_other_formats())
    for path, endpoint, answers in (
        ("/export", export_endpoint.export, formats),
        ("/preview", export_endpoint.preview, _answers("image/jpeg")),
    ):
        refusals = _described(REFUSALS)
        app.add_api_route(path, endpoint, methods=["POST"], response_class=Response, responses=answers | refusals)


def _add_corrections(app: FastAPI) -> None:
    app.add_api_route(
        "/corrections",
        correction_endpoint.correct,
        methods=["POST"],
        status_code=201,
        response_model=KeptCorrection,
        responses=_described(CORRECTION_REFUSALS),
    )
    app.add_api_route(
        "/corrections/{correction}",
        correction_endpoint.take_back,
        methods=["DELETE"],
        status_code=204,
        responses=_described({403: CORRECTION_REFUSALS[403], 404: "no such correction"}),
    )


def _add_jobs(app: FastAPI) -> None:
    one, of_job = "/jobs/{job}", {404: "no such job, or its result has expired"}
    refusals = _described(REFUSALS | {406: READ_REFUSALS[406], 507: "the disk or the quota of jobs is full"})
    app.add_api_route(
        "/jobs", job_endpoints.post_job, methods=["POST"], status_code=202, responses=refusals, openapi_extra=BODY
    )
    app.add_api_route(one, job_endpoints.get_job, methods=["GET"], responses=_described(of_job))
    app.add_api_route(one, job_endpoints.delete_job, methods=["DELETE"], status_code=204, responses=_described(of_job))
    answers = _answers(*_other_formats(), "application/zip")
    app.add_api_route(
        f"{one}/result",
        job_endpoints.get_result,
        methods=["GET"],
        response_model=ReadPage | ReadPages,
        responses=answers | _described(of_job | {409: "the job has not ended"}),
    )


def _add_limits(app: FastAPI, metrics: Metrics, settings: Settings) -> None:
    """Add what looks at each request before the endpoints do; what is added last comes first."""
    known = {route.path for route in app.routes}  # type: ignore[attr-defined]
    app.add_middleware(BodyLimit)
    app.add_middleware(RequestCount)
    app.add_middleware(RateLimit, rate=settings.rate)
    app.add_middleware(Authorised, tokens=settings.tokens)
    if settings.origins:  # before the tokens: a browser asks without one whether it may send one
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.origins,
            allow_methods=("GET", "POST", "DELETE"),
            allow_headers=("Authorization", "Content-Type"),
            expose_headers=("Location", "Retry-After"),
        )
    app.add_middleware(KnownHosts, hosts=settings.hosts)
    app.add_middleware(Counted, metrics=metrics, known=known)
    app.add_middleware(RootPath, root_path=settings.root_path)


class Opaque:
    """An ASGI application that BentoML passes every request on to.

    BentoML looks into applications of Starlette, and answers itself what they have no route for.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


def _described(refusals: dict[int, str]) -> Described:
    """Return what /openapi.json says about refusals. Others of the client's mistakes have the same form."""
    schema = {"schema": {"$ref": f"#/components/schemas/{Problem.__name__}"}}
    content = {problems.MEDIA_TYPE: schema}
    described: Described = {status: {"description": what, "content": content} for status, what in refusals.items()}
    return described | {"4XX": {"description": "the request is refused", "content": content}}


def _answers(*media_types: str) -> Described:
    """Return what /openapi.json says about the media types of an answer."""
    return {200: {"content": {name: {} for name in media_types}}}


def _other_formats() -> list[str]:
    return [name.partition(";")[0] for kind, name in MEDIA_TYPES.items() if kind != "json"]


def page() -> HTMLResponse:
    """Return the page for people."""
    return HTMLResponse(page_html(), headers=PAGE_HEADERS)


def sample() -> FileResponse:
    """Return a page to try the service with: the one that each model has to read before it is served."""
    return FileResponse(KNOWN_PICTURE)


def drift(request: Request) -> Drift:
    """Compare the pages that were read last with the pages that the model was scored on."""
    return served_by(request).watch.compare()


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
        since=served.since,
        refused=served.takeover.refused if served.takeover else None,
    )
