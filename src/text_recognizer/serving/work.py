"""Do the work of a request: one step at a time for all requests, and no longer than somebody waits for the answer."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from starlette.requests import Request

from text_recognizer.serving.problems import CLIENT_GONE, RequestError

T = TypeVar("T")

SECONDS = 300.0  # of a request; enough for the most pages of a request on a slow machine


class Task:
    """The work of one request. Its steps call `check`, which ends the work when nobody waits for it any more."""

    def __init__(self, seconds: float = SECONDS) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds
        self._gone = threading.Event()

    @property
    def seconds_left(self) -> float:
        """The seconds until the end of the request's time."""
        return max(0.0, self._end - time.monotonic())

    def stop(self) -> None:
        """Let the next step end the work."""
        self._gone.set()

    def check(self) -> None:
        """Raise RequestError if the client is gone or the time is over."""
        if self._gone.is_set():
            raise RequestError(CLIENT_GONE, "the client closed the request")
        if not self.seconds_left:
            raise self.out_of_time()

    def out_of_time(self) -> RequestError:
        """Return the error for a request that took too long."""
        what = f"the request was not done in {self.seconds:g} seconds"
        return RequestError(503, what, "send fewer or smaller pages, or try again when the server is less busy")


class Turns:
    """Lets one request at a time decode or read a page, in the order of arrival: it bounds the memory."""

    def __init__(self) -> None:
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="turns")

    async def take(self, step: Callable[[], T]) -> T:
        """Do a step when it is its turn. A cancelled step that has not begun is not done."""
        return await asyncio.wrap_future(self._worker.submit(step))


async def finish(request: Request, task: Task, work: Coroutine[Any, Any, T]) -> T:
    """Return the result of the work. It ends early if the client closes the request, or if its time is over."""
    running, gone = asyncio.ensure_future(work), asyncio.ensure_future(_disconnected(request))
    try:
        await asyncio.wait({running, gone}, timeout=task.seconds_left, return_when=asyncio.FIRST_COMPLETED)
        if running.done():
            return running.result()
        if gone.done():
            raise RequestError(CLIENT_GONE, "the client closed the request")
        raise task.out_of_time()
    finally:
        task.stop()
        running.cancel()
        gone.cancel()
        # A step that waits for its turn is withdrawn only when the event loop runs again.
        await asyncio.wait({running, gone})


async def _disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
