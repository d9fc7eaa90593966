"""The `crops` flow: preprocess, with the map over forms on the workers of a Dask cluster, one task a chunk of forms.

`text-recognizer preprocess` hands over to `python -m flows.crops` where `preprocess.runner` is `dask`. The workers read
the archive from where it lies, so that they need the same folder, and the same version of this project.
"""

import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NoReturn

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.futures import PrefectFuture
from prefect.logging.handlers import APILogHandler
from prefect.server.api.server import SubprocessASGIServer
from prefect.settings import PREFECT_API_URL, get_current_settings, temporary_settings
from prefect_dask import DaskTaskRunner

from flows.entry import status_of
from flows.logs import plain_failures
from text_recognizer import cli, config
from text_recognizer.errors import ConfigError
from text_recognizer.preprocess.pack import Chunk, Crop, Work

# Chunks on their way at once. Each comes back as some 6 MB, and none is let go before its turn.
AHEAD = 16
RETRIES = 2
CONNECT_SECONDS = 20


@task(name="crop", cache_policy=NO_CACHE, persist_result=False, retries=RETRIES)
def crop(work: Work, chunk: Chunk) -> list[Crop]:
    """One chunk of forms. Dask gives it to another worker where the one at work on it dies."""
    return work(chunk)


def through_tasks(work: Work, chunks: Sequence[Chunk]) -> Iterator[list[Crop]]:
    """Every chunk as a task of the flow that runs, in order, never more than AHEAD of them at once."""
    waiting: deque[PrefectFuture[list[Crop]]] = deque()
    for chunk in chunks:
        waiting.append(crop.submit(work, chunk))
        if len(waiting) >= AHEAD:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


@flow(name="crops", description="Crops and packs every form, on the workers of a Dask cluster.")
def crops(params: config.Params) -> None:
    """Raises what the stage raises: DataError where forms cannot be cropped or the crops are not valid."""
    plain_failures()
    cli.preprocess(params, through_tasks)


@contextmanager
def one_server() -> Iterator[None]:
    """One Prefect server for the flow and the workers: without PREFECT_API_URL each of them would start its own."""
    settings = get_current_settings()
    if settings.api.url:
        yield
        return
    server = SubprocessASGIServer()
    server.start(timeout=settings.server.ephemeral.startup_timeout_seconds)
    try:
        with temporary_settings({PREFECT_API_URL: server.api_url}):
            yield
    finally:
        APILogHandler().flush()  # what the flow said last must not look for a server that is gone
        server.stop()


def on_dask(params: config.Params) -> None:
    """Runs the flow on the cluster at `preprocess.scheduler`. Raises ConfigError where none answers there."""
    address = params.preprocess.scheduler or ""
    require_cluster(address)
    # Its futures are of a type of their own, which with_options does not name.
    runner: Any = DaskTaskRunner(address=address)
    with one_server():
        crops.with_options(task_runner=runner, validate_parameters=False)(params)


def require_cluster(address: str) -> None:
    from distributed import Client

    try:
        with Client(address, timeout=CONNECT_SECONDS, set_as_default=False) as client:
            workers = len(client.scheduler_info()["workers"])
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        fix = "start it (`dask scheduler`), correct preprocess.scheduler, or set preprocess.runner to local"
        raise ConfigError(f"no Dask scheduler answers at {address}: {reason}", fix) from None
    if not workers:
        raise ConfigError(f"the Dask cluster at {address} has no workers", f"start some: `dask worker {address}`")


def main() -> NoReturn:
    """Exits with `entry.status_of` the flow, in the name of the stage that handed over to it."""
    sys.exit(status_of("text-recognizer preprocess", lambda: on_dask(config.load())))


if __name__ == "__main__":
    main()
