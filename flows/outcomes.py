"""The states in which a flow ends besides Completed and Failed, and the names of runs."""

import datetime

from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.states import Completed

# None is a fault of the run, so none is red: what the run had to find out, it found out.
REJECTED, SKIPPED, DECLINED, ROLLED_BACK = "Rejected", "Skipped", "Declined", "RolledBack"


def rejected(reason: str) -> State[None]:
    """Return the end of a run whose model may not be released."""
    return Completed(name=REJECTED, message=reason)


def skipped(reason: str) -> State[None]:
    """Return the end of a run that had to leave the work to another one."""
    return Completed(name=SKIPPED, message=reason)


def declined(reason: str) -> State[None]:
    """Return the end of a run whose model no person approved."""
    return Completed(name=DECLINED, message=reason)


def rolled_back(reason: str) -> State[None]:
    """Return the end of a run that put a model into service and took it out again."""
    return Completed(name=ROLLED_BACK, message=reason)


def run_name() -> str:
    """Return the name of the flow run that starts: when it was due, in UTC, and why it runs."""
    due = flow_run.scheduled_start_time or datetime.datetime.now(datetime.UTC)
    reason = flow_run.parameters.get("reason") or ""
    return f"{due.astimezone(datetime.UTC):%Y-%m-%d %H:%M} {reason}".strip()
