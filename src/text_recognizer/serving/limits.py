"""Limit the size of a request. The bytes are counted as they arrive: a body need not declare its length."""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BYTES = 20 * 1024 * 1024
# A client that is still sending when the connection closes never sees the answer, so some more is read and dropped.
DRAIN_BYTES = 4 * MAX_BYTES
TOO_LARGE = f"the request is larger than {MAX_BYTES // 1024**2} MB"


class BodyLimit:
    """ASGI middleware that answers a request body over `MAX_BYTES` with status 413."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            receive = _limited(receive, _declared_length(scope))
        await self.app(scope, receive, send)


def _limited(receive: Receive, declared: int) -> Receive:
    received = 0

    async def limited() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if max(received, declared) > MAX_BYTES:
            await _drain(receive, message, DRAIN_BYTES)
            raise HTTPException(413, TOO_LARGE)
        return message

    return limited


async def _drain(receive: Receive, message: Message, budget: int) -> None:
    while budget > 0 and message.get("more_body", False):
        message = await receive()
        budget -= len(message.get("body", b""))


def _declared_length(scope: Scope) -> int:
    length = Headers(scope=scope).get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() else 0
