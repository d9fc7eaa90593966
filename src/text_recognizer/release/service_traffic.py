"""Count from a service's `/metrics` how many requests it answered, and how many of them it failed."""

import re
from typing import Annotated

from pydantic import Field

from text_recognizer.core.schemas import Record
from text_recognizer.release.http_json import ask_text, token_header

# One counter of the service: its endpoint, the status of the answers, and their number.
COUNTER = re.compile(
    r'^bentoml_service_request_total\{endpoint="(/[^"/]*)[^"]*",http_response_code="(\d{3})"\} (\S+)$', re.MULTILINE
)
# What people and programs ask for. Supervisors ask for the other endpoints, many times more often.
WORK = ("/read", "/export", "/preview", "/corrections", "/jobs")
FAILED = 500  # this status and those above: the service, not the request, is at fault


class Traffic(Record):
    """Requests for work that a service answered since it was started, and those that it failed."""

    requests: Annotated[int, Field(ge=0)] = 0
    failed: Annotated[int, Field(ge=0)] = 0

    def after(self, before: "Traffic") -> "Traffic":
        """Return what came since `before`. A service that was started again counts from nothing."""
        if before.requests > self.requests or before.failed > self.failed:
            return self
        return Traffic(requests=self.requests - before.requests, failed=self.failed - before.failed)

    @property
    def share(self) -> float:
        """The share of the requests that failed."""
        return self.failed / self.requests if self.requests else 0.0


def traffic_of(service: str) -> Traffic:
    """Return the counts of the service at an address. Raises NoAnswerError if it does not answer, or wants a token."""
    return read_counters(ask_text(f"{service.rstrip('/')}/metrics", headers=token_header()))


def read_counters(page: str) -> Traffic:
    """Return the counts in the text of `/metrics`."""
    rows = [(int(status), int(float(count))) for path, status, count in COUNTER.findall(page) if path in WORK]
    return Traffic(
        requests=sum(count for _, count in rows), failed=sum(count for status, count in rows if status >= FAILED)
    )
