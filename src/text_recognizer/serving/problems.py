"""Refuse a request: the answers that say what is wrong and what to do, as problem details (RFC 9457)."""

from collections.abc import Mapping
from typing import NoReturn

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse

from text_recognizer.core.errors import TextRecognizerError
from text_recognizer.core.schemas import Problem

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:text-recognizer:problem:"
CLIENT_GONE = 499  # as nginx logs it. Nobody receives this answer.
# For each status: the code of the problem, its title, and what to do if the error itself does not say.
KINDS: dict[int, tuple[str, str, str]] = {
    400: ("bad-request", "The request cannot be parsed", "send multipart/form-data with a part named 'picture'"),
    401: ("no-token", "The request needs a token", "send `Authorization: Bearer TOKEN`; the operator gives out tokens"),
    403: ("forbidden", "The request is not allowed", "ask the operator of this service"),
    404: ("not-found", "There is no such thing here", "GET / or /model, or POST a picture to /read"),
    405: ("wrong-method", "The method is not allowed here", "POST to /read, /jobs and /corrections; GET / and /model"),
    406: ("not-acceptable", "No such format", "leave out the header Accept for JSON, or choose a format with ?format="),
    408: ("slow-request", "The request arrives too slowly", "send it again on a faster connection, or send less"),
    409: ("not-ready", "The result is not ready", "ask for the state of the job, and try again when it is done"),
    413: ("too-large", "The request is too large", "send fewer or smaller pictures; 150 to 300 dpi are enough"),
    415: ("no-picture", "The file is no picture and no PDF", "send a picture or a PDF"),
    421: (
        "wrong-host",
        "The request is for another host",
        "use the address that the server printed, or set TEXT_RECOGNIZER_HOSTS",
    ),
    422: ("not-valid", "The request is not valid", "send the picture in a part named 'picture', with a file name"),
    429: ("too-many-requests", "Too many requests from one client", "wait, and try again"),
    CLIENT_GONE: ("client-gone", "The client closed the request", ""),
    500: ("failed", "The request failed", "look for the cause in the server's log; try another picture"),
    503: ("busy", "The server is busy", "send the request again later"),
    507: ("full", "The disk or the quota is full", "tell the operator of this service; nothing was kept"),
}
CORRECTION_FIX = "send the picture in a part named 'picture' and JSON in a part named 'correction': docs/corrections.md"
RETRY_SECONDS: dict[int, int] = {408: 1, 409: 5, 429: 5, 503: 10}


class RequestError(HTTPException):
    """A request that is refused with this status. `what` is wrong, and `fix` says what to do.

    It is an HTTPException, because FastAPI lets only those pass while it parses a form.
    """

    def __init__(self, status: int, what: str, fix: str = "") -> None:
        super().__init__(status, what)
        self.fix = fix

    @property
    def problem(self) -> Problem:
        """What the client is told."""
        return describe(self.status_code, self.detail, self.fix)


def refuse(error: TextRecognizerError, status: int = 422) -> NoReturn:
    """Raise a RequestError that says what was wrong and what to do."""
    raise RequestError(status, error.what, error.fix) from None


def describe(status: int, what: str, fix: str = "") -> Problem:
    """Return the problem details of a status."""
    code, title, usual = KINDS.get(status, ("failed", "The request failed", ""))
    return Problem(type=TYPE_PREFIX + code, title=title, status=status, detail=what, fix=fix or usual)


def to_response(problem: Problem, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """Return an answer of problem details. One that may succeed later says when to try again."""
    seconds = RETRY_SECONDS.get(problem.status)
    later = {"Retry-After": str(seconds)} if seconds else {}
    content = problem.model_dump(mode="json")
    return JSONResponse(content, problem.status, {**later, **(headers or {})}, media_type=MEDIA_TYPE)


def answer_refusal(_: Request, error: Exception) -> JSONResponse:
    """Answer an HTTPException: ours, or one of the framework."""
    assert isinstance(error, HTTPException)
    fix = error.fix if isinstance(error, RequestError) else ""
    return to_response(describe(error.status_code, str(error.detail), fix), error.headers)


def answer_incomplete(request: Request, error: Exception) -> JSONResponse:
    """Answer a request that lacks a part or has a query that is not valid."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    place, *names = first["loc"]
    if place == "path":
        return to_response(describe(404, "there is nothing of this name"))
    if place == "query":
        return to_response(describe(422, f"?{names[0]}= is not valid: {first['msg']}", "leave it out, or correct it"))
    part = f"'{names[0]}'" if names else "'picture'"
    what = f"the request has no part named {part} that can be used"
    if getattr(request.scope.get("route"), "path", "") == "/corrections":
        return to_response(describe(422, what, CORRECTION_FIX))
    return to_response(describe(422, what))


def answer_failure(_: Request, error: Exception) -> JSONResponse:
    """Answer an error of the program. The log has its traceback."""
    return to_response(describe(500, f"the request failed ({type(error).__name__})"))
