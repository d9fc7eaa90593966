"""Count requests for Prometheus, and keep what clients send out of the layout of the log."""

import logging
import time
from collections.abc import Collection

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from text_recognizer.serving.hosts import path_of
from text_recognizer.serving.served import served_by

PREFIX = "bentoml_service"
UNKNOWN = "unknown"  # the label of every path that the application does not have
BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)  # seconds


class Metrics:
    """The numbers of requests, by path and status. They have the names that BentoML gives its own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        mine, by_status = self._registry, ("endpoint", "http_response_code")
        self.total = Counter(f"{PREFIX}_request_total", "Number of requests", by_status, registry=mine)
        name = f"{PREFIX}_request_duration_seconds"
        self.duration = Histogram(name, "Time of a request", by_status, buckets=BUCKETS, registry=mine)
        name = f"{PREFIX}_request_in_progress"
        self.in_progress = Gauge(name, "Requests in progress", ("endpoint",), registry=mine)

    def page(self, request: Request) -> Response:
        """Return the answer to GET /metrics: the requests, and what was read."""
        found = generate_latest(self._registry) + generate_latest(served_by(request).watch.registry)
        return Response(found, media_type=CONTENT_TYPE_LATEST)


class Counted:
    """ASGI middleware that counts requests. All paths but `known` share one label, so that nobody can add labels."""

    def __init__(self, app: ASGIApp, metrics: Metrics, known: Collection[str]) -> None:
        self.app = app
        self._metrics = metrics
        self._known = [(compile_path(path)[0], path) for path in known]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        asked = path_of(scope)
        endpoint = next((path for pattern, path in self._known if pattern.match(asked)), UNKNOWN)
        status, start = 500, time.perf_counter()

        async def noticing(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        with self._metrics.in_progress.labels(endpoint).track_inprogress():
            try:
                await self.app(scope, receive, noticing)
            finally:
                self._metrics.total.labels(endpoint, status).inc()
                self._metrics.duration.labels(endpoint, status).observe(time.perf_counter() - start)


def escape_arguments(record: logging.LogRecord) -> bool:
    """Escape line ends and control characters in the arguments of a record: a path must not look like another line.

    This is a filter for loggers. It lets every record pass.
    """
    if isinstance(record.args, tuple):
        record.args = tuple(_escaped(argument) if isinstance(argument, str) else argument for argument in record.args)
    return True


def _escaped(text: str) -> str:
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)
