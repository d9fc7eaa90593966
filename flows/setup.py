"""Set up a Prefect server for this clone: the work pool, the deployments of `prefect.yaml`, and the block for e-mail.

`make up` runs `python -m flows.setup` once the processes are started. It may be repeated at any time.
"""

import os
import subprocess
import sys
import time
from typing import NoReturn

from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.exceptions import ObjectNotFound

from flows.report_links import ADDRESS
from flows.tell import Mail
from text_recognizer.core.errors import ConfigError, TextRecognizerError
from text_recognizer.release.http_json import NoAnswerError, ask

POOL = "text-recognizer"
START_SECONDS = 180.0


def set_up() -> None:
    """Make or update everything. Raises ConfigError if no server answers, or if Prefect refuses a deployment."""
    wait_for_server(os.environ.get("PREFECT_API_URL", ""), START_SECONDS)
    with get_client(sync_client=True) as client:
        try:
            client.read_work_pool(POOL)
        except ObjectNotFound:
            client.create_work_pool(WorkPoolCreate(name=POOL, type="process"))
    Mail.register_type_and_schema()
    command = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        last = " ".join((done.stderr or done.stdout).split())[-500:]
        raise ConfigError(f"Prefect refuses a deployment: {last}", "correct prefect.yaml")


def wait_for_server(address: str, seconds: float) -> None:
    """Wait until the Prefect API at `address` answers. Raises ConfigError if it does not in `seconds`."""
    if not address:
        raise ConfigError("PREFECT_API_URL is not set", "set it to the API of the Prefect server, or run `make up`")
    end = time.monotonic() + seconds
    while True:
        try:
            ask(f"{address.rstrip('/')}/health")
            return
        except NoAnswerError as problem:
            if time.monotonic() > end:
                raise ConfigError(problem.what, "look into .cache/up/server.log") from None
            time.sleep(1)


def addresses() -> str:
    """Return the table of addresses, of what `make up` starts."""
    server = os.environ["PREFECT_API_URL"].removesuffix("/api")
    rows = [
        ("flows, runs, schedules", server),
        ("reports", os.environ.get(ADDRESS, "not served")),
        ("service", f"http://127.0.0.1:{os.environ.get('UP_SERVICE_PORT', '3000')}"),
        ("logs", ".cache/up/"),
        ("state", "text-recognizer status"),
        ("end", "make down"),
    ]
    return "\n".join(f"{name:<24}{value}" for name, value in rows)


def main() -> NoReturn:
    """Set up the server and print the addresses; exit with 1 if that fails."""
    try:
        set_up()
    except TextRecognizerError as error:
        print(f"setup: {error}", file=sys.stderr)
        sys.exit(error.exit_status)
    print(addresses())
    sys.exit(0)


if __name__ == "__main__":
    main()
