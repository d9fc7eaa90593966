"""Ask the service and the Prefect server over HTTP, without a library that the plain installation lacks."""

import json
import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from typing import Any

from text_recognizer.core.errors import TEMPORARY, TextRecognizerError

SECONDS = 10.0
JSON = "application/json"
TOKEN_VARIABLE = "TEXT_RECOGNIZER_TOKEN"  # for a service that gives out tokens: one with the role admin
NO_HEADERS: Mapping[str, str] = {}


class NoAnswerError(TextRecognizerError):
    """A server did not answer, or refused a request. The next try may succeed."""

    code = "no-answer"
    exit_status = TEMPORARY


def token_header() -> Mapping[str, str]:
    """Return the header with the token that the environment names for the service; none if it names none."""
    token = os.environ.get(TOKEN_VARIABLE)
    return {"Authorization": f"Bearer {token}"} if token else NO_HEADERS


def ask(url: str, body: object = None, seconds: float = SECONDS, headers: Mapping[str, str] = NO_HEADERS) -> Any:  # noqa: ANN401 whatever JSON the server sends
    """Return the JSON of an answer, None if it is empty. With a `body`, post that as JSON. Raises NoAnswerError."""
    if body is None:
        return send(url, None, seconds, headers)
    return send(url, json.dumps(body).encode(), seconds, {**headers, "Content-Type": JSON})


def send(url: str, data: bytes | None, seconds: float = SECONDS, headers: Mapping[str, str] = NO_HEADERS) -> Any:  # noqa: ANN401
    """Do the same for a body of any type, which the headers name."""
    text = _answer(urllib.request.Request(url, data=data, headers={**headers, "Accept": JSON}), seconds)
    try:
        return json.loads(text) if text.strip() else None
    except ValueError as error:
        raise NoAnswerError(f"{url} answers with something else than JSON: {error}", "name another address") from None


def ask_text(url: str, seconds: float = SECONDS, headers: Mapping[str, str] = NO_HEADERS) -> str:
    """Return the text of an answer of any type. Raises NoAnswerError."""
    return _answer(urllib.request.Request(url, headers=dict(headers)), seconds)


def _answer(request: urllib.request.Request, seconds: float) -> str:
    # No proxy: the servers are those of this project, most often on this machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    url = request.full_url
    try:
        with opener.open(request, timeout=seconds) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        with error:
            detail = error.read(500).decode(errors="replace")
        raise NoAnswerError(f"{url} answered {error.code}: {detail}", "correct what it names") from None
    except (OSError, ValueError) as error:
        raise NoAnswerError(f"{url} does not answer: {error}", "start it, or name its address") from None
