"""Ask a Prefect server about the runs of the flows, and answer a run that waits. Only `flows` imports Prefect."""

import os
from collections.abc import Mapping
from typing import Any

from text_recognizer.release.http_json import ask

ADDRESS = "http://127.0.0.1:4200/api"


class PrefectServer:
    """A Prefect server by its API's address: that of PREFECT_API_URL, or of a server on this machine."""

    def __init__(self, address: str = "") -> None:
        self.address = (address or os.environ.get("PREFECT_API_URL") or ADDRESS).rstrip("/")

    def last_runs(self, count: int) -> list[dict[str, Any]]:
        """Return the flow runs that have started, the last one first. Raises NoAnswerError."""
        started = {"state": {"type": {"not_any_": ["SCHEDULED"]}}}
        return self._runs(started, "START_TIME_DESC", count)

    def next_runs(self, count: int) -> list[dict[str, Any]]:
        """Return the flow runs that are due, the next one first. Raises NoAnswerError."""
        due = {"state": {"type": {"any_": ["SCHEDULED"]}}}
        return self._runs(due, "EXPECTED_START_TIME_ASC", count)

    def waiting_runs(self) -> list[dict[str, Any]]:
        """Return the flow runs that wait for a person. Raises NoAnswerError."""
        return self._runs({"state": {"type": {"any_": ["PAUSED"]}}}, "START_TIME_DESC", 200)

    def resume(self, run: str, values: Mapping[str, Any]) -> None:
        """Let a run that waits go on with these values. Raises NoAnswerError."""
        ask(f"{self.address}/flow_runs/{run}/resume", {"run_input": dict(values)})

    def flow_name(self, flow: str) -> str:
        """Return the name of a flow by its id. Raises NoAnswerError."""
        return str(ask(f"{self.address}/flows/{flow}")["name"])

    def _runs(self, which: Mapping[str, Any], order: str, count: int) -> list[dict[str, Any]]:
        body = {"flow_runs": dict(which), "sort": order, "limit": count}
        found: list[dict[str, Any]] = ask(f"{self.address}/flow_runs/filter", body)
        return found
