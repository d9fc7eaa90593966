"""What every flow does that is started as a command: a server that answers, plain messages, and an exit status."""

import sys
from collections.abc import Callable

from prefect.client.orchestration import get_client
from prefect.exceptions import TerminationSignal
from prefect.settings import get_current_settings

from text_recognizer.errors import ConfigError, TextRecognizerError

INTERRUPTED = 130


def status_of(name: str, run: Callable[[], object]) -> int:
    """Runs a flow; returns 0, 1 after a plain message on a problem, or 130 where it was interrupted."""
    try:
        require_server()
        run()
    except TextRecognizerError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, TerminationSignal):
        print(f"{name}: interrupted; repeat the command to go on", file=sys.stderr)
        return INTERRUPTED
    return 0


def require_server() -> None:
    """Raises ConfigError where PREFECT_API_URL, or the profile in use, names a server that does not answer."""
    url = get_current_settings().api.url
    if not url:
        return
    with get_client(sync_client=True) as client:
        problem = client.api_healthcheck()
    if problem:
        fix = "start it (`prefect server start`), or unset PREFECT_API_URL to run without one"
        raise ConfigError(f"the Prefect server at {url} does not answer: {problem}", fix)
