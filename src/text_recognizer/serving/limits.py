"""Limit what clients send: the size and the time of a body, and the number of requests at a time.

The bytes are counted as they arrive: a body need not declare its length.
"""

import asyncio
import math
import time
from collections import Counter
from collections.abc import Mapping

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from text_recognizer.core.schemas import Problem
from text_recognizer.serving.problems import RequestError, describe, to_response
from text_recognizer.serving.tokens import client_of

MAX_BYTES = 20 * 1024 * 1024
# A client that is still sending when the connection closes never sees the answer, so some more is read and dropped.
DRAIN_BYTES = 4 * MAX_BYTES
DRAIN_SECONDS = 10.0
IDLE_SECONDS = 20.0  # between two pieces of a body
BODY_SECONDS = 180.0  # for a whole body: 20 MB at 1 Mbit/s
MAX_AT_ONCE = 32  # requests with a body, of all clients
MAX_OF_CLIENT = 8
MAX_REMEMBERED = 1000  # clients whose rate is remembered before the idle ones are forgotten
TOO_LARGE = f"the request is larger than {MAX_BYTES // 1024**2} MB"


class BodyLimit:
    """ASGI middleware that refuses a body that is too large, with status 413, or arrives too slowly, with 408."""

    def __init__(self, app: ASGIApp, idle_seconds: float = IDLE_SECONDS) -> None:
        self.app = app
        self._idle_seconds = idle_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            receive = _LimitedBody(receive, _declared_length(scope), self._idle_seconds)
        await self.app(scope, receive, send)


class RequestCount:
    """ASGI middleware that bounds the requests with a body that are in progress, in all and of one client.

    The others are answered at once, with status 429 or 503, and told when to try again.
    """

    def __init__(self, app: ASGIApp, at_once: int = MAX_AT_ONCE, of_client: int = MAX_OF_CLIENT) -> None:
        self.app = app
        self._at_once = at_once
        self._of_client = of_client
        self._in_progress: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            return await self.app(scope, receive, send)
        client = client_of(scope)
        if self._in_progress[client] >= self._of_client:
            what = f"{client} has {self._of_client} requests in progress, the most that one client may have"
            return await _refuse(describe(429, what), scope, receive, send)
        if self._in_progress.total() >= self._at_once:
            what = f"{self._at_once} requests are in progress, the most that this server takes"
            return await _refuse(describe(503, what), scope, receive, send)
        self._in_progress[client] += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self._in_progress[client] -= 1
            self._in_progress += Counter()  # drops what is 0


class RateLimit:
    """ASGI middleware that bounds the requests with a body of a client to `rate` a minute; 0 does not bound them.

    A client that was idle may send as many at once. The others are answered with 429.
    """

    def __init__(self, app: ASGIApp, rate: int = 0) -> None:
        self.app = app
        self._rate = rate
        self._spent: dict[str, tuple[float, float]] = {}  # of each client: requests not yet paid off, and when

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "POST" and self._rate:
            client, now = client_of(scope), time.monotonic()
            spent = self._left(client, now)
            if spent > self._rate - 1:
                await self._refuse(client, spent, scope, receive, send)
                return
            self._forget(now)
            self._spent[client] = spent + 1, now
        await self.app(scope, receive, send)

    async def _refuse(self, client: str, spent: float, scope: Scope, receive: Receive, send: Send) -> None:
        seconds = math.ceil((spent - self._rate + 1) * 60 / self._rate)
        problem = describe(429, f"{client} has sent more than {self._rate} requests in a minute")
        await _refuse(problem, scope, receive, send, {"Retry-After": str(seconds)})

    def _left(self, client: str, now: float) -> float:
        spent, when = self._spent.get(client, (0.0, now))
        return max(0.0, spent - (now - when) * self._rate / 60)

    def _forget(self, now: float) -> None:
        """Forget the clients that have paid off everything, so that addresses do not pile up."""
        if len(self._spent) > MAX_REMEMBERED:
            self._spent = {client: spent for client, spent in self._spent.items() if self._left(client, now) > 0}


class _LimitedBody:
    """The messages of one request. Calling it returns the next one, or raises RequestError."""

    def __init__(self, receive: Receive, declared: int, idle_seconds: float) -> None:
        self._receive = receive
        self._declared = declared
        self._idle_seconds = idle_seconds
        self._received = 0
        self._end = time.monotonic() + BODY_SECONDS
        self._complete = False

    async def __call__(self) -> Message:
        if self._complete:  # what follows a body is the end of the connection, whenever that comes
            return await self._receive()
        message = await self._in_time()
        self._received += len(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        if max(self._received, self._declared) > MAX_BYTES:
            if not self._complete:
                await _drain(self._receive)
            raise RequestError(413, TOO_LARGE)
        return message

    async def _in_time(self) -> Message:
        seconds = min(self._idle_seconds, self._end - time.monotonic())
        try:
            return await asyncio.wait_for(self._receive(), max(0.0, seconds))
        except TimeoutError:
            raise RequestError(408, "the body of the request arrives too slowly") from None


async def _refuse(
    problem: Problem, scope: Scope, receive: Receive, send: Send, headers: Mapping[str, str] | None = None
) -> None:
    """Answer without reading the body, unless the client sends it anyway."""
    if "expect" not in Headers(scope=scope):
        await _drain(receive)
    await to_response(problem, headers)(scope, receive, send)


async def _drain(receive: Receive) -> None:
    """Read and drop what a client still sends, up to DRAIN_BYTES in DRAIN_SECONDS."""
    budget, end, more = DRAIN_BYTES, time.monotonic() + DRAIN_SECONDS, True
    while more and budget > 0:
        try:
            message = await asyncio.wait_for(receive(), max(0.0, end - time.monotonic()))
        except TimeoutError:
            return
        more = message.get("more_body", False)
        budget -= len(message.get("body", b""))


def _declared_length(scope: Scope) -> int:
    length = Headers(scope=scope).get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() else 0
