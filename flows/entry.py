"""Run a flow as a command: check the Prefect server, turn errors into messages, and return an exit status."""

import sys
from collections.abc import Callable
from typing import Any

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.exceptions import TerminationSignal
from prefect.settings import get_current_settings

from flows.outcomes import REJECTED, SKIPPED
from text_recognizer.core.errors import INTERRUPTED, ConfigError, TextRecognizerError


def run_flow(name: str, run: Callable[[], State[Any] | None]) -> int:
    """Run a flow and return 0; on an error print its message and return its exit status; return 130 on Ctrl-C.

    If `run` returns the flow's state, that of a failure counts as its error. A run that is rejected or skipped prints
    why, and has the status 1.
    """
    try:
        require_server()
        state = run()
        if state and state.name in (REJECTED, SKIPPED):
            print(f"{name}: {state.message}", file=sys.stderr)
            return 1
        if state:
            state.result()
    except TextRecognizerError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return error.exit_status
    except (KeyboardInterrupt, TerminationSignal):
        print(f"{name}: interrupted; repeat the command to resume", file=sys.stderr)
        return INTERRUPTED
    return 0


def require_server() -> None:
    """Raise ConfigError if PREFECT_API_URL, or the profile in use, names a server that does not answer."""
    url = get_current_settings().api.url
    if not url:
        return
    with get_client(sync_client=True) as client:
        problem = client.api_healthcheck()
    if problem:
        fix = "start it (`prefect server start`), or unset PREFECT_API_URL to run without one"
        raise ConfigError(f"the Prefect server at {url} does not answer: {problem}", fix)
