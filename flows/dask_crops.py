"""The `crops` flow: run the preprocess stage on the workers of a Dask cluster, one Prefect task for a chunk of forms.

`text-recognizer preprocess` runs `python -m flows.dask_crops` if `runtime.runner` is `dask`. The workers read the
archive in place, so they need the same folder and the same version of this project.
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

from flows.entry import run_flow
from flows.logs import log_errors_as_messages
from text_recognizer.core import config
from text_recognizer.core.errors import ConfigError
from text_recognizer.core.layout import LAYOUT
from text_recognizer.core.params import Params
from text_recognizer.preprocess.crop_jobs import Chunk, Crop, Work
from text_recognizer.stages import preprocess

# Chunks that are submitted at once. A result has about 6 MB and is kept until its turn.
MAX_PENDING = 16
RETRIES = 2
CONNECT_SECONDS = 20


@task(name="crop", cache_policy=NO_CACHE, persist_result=False, retries=RETRIES)
def crop(work: Work, chunk: Chunk) -> list[Crop]:
    """Crop one chunk of forms. If its worker dies, Dask gives the chunk to another one."""
    return work(chunk)


def spread_over_tasks(work: Work, chunks: Sequence[Chunk]) -> Iterator[list[Crop]]:
    """Crop every chunk in a task of the running flow; yield the results in order, at most MAX_PENDING at once."""
    pending: deque[PrefectFuture[list[Crop]]] = deque()
    for chunk in chunks:
        pending.append(crop.submit(work, chunk))
        if len(pending) >= MAX_PENDING:
            yield pending.popleft().result()
    while pending:
        yield pending.popleft().result()


@flow(name="crops", description="Crops and packs every form on the workers of a Dask cluster.")
def crops(params: Params) -> None:
    """Run the preprocess stage. Raises DataError if forms cannot be cropped or the crops are not valid."""
    log_errors_as_messages()
    preprocess.run(params, LAYOUT, spread=spread_over_tasks)


@contextmanager
def shared_server() -> Iterator[None]:
    """Start one Prefect server for the flow and the workers. Without PREFECT_API_URL each would start its own."""
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
        APILogHandler().flush()  # send the last messages while the server still runs
        server.stop()


def on_dask(params: Params) -> None:
    """Run the flow on the cluster at `runtime.scheduler`. Raises ConfigError if no cluster answers there."""
    address = params.runtime.scheduler or ""
    require_cluster(address)
    # `with_options` is typed for Prefect's own futures; this runner has another type of futures.
    runner: Any = DaskTaskRunner(address=address)
    with shared_server():
        crops.with_options(task_runner=runner, validate_parameters=False)(params)


def require_cluster(address: str) -> None:
    """Raise ConfigError if no Dask scheduler answers at `address`, or if it has no workers."""
    from distributed import Client

    try:
        with Client(address, timeout=CONNECT_SECONDS, set_as_default=False) as client:
            workers = len(client.scheduler_info()["workers"])
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        fix = "start it (`dask scheduler`), correct runtime.scheduler, or set runtime.runner to local"
        raise ConfigError(f"no Dask scheduler answers at {address}: {reason}", fix) from None
    if not workers:
        raise ConfigError(f"the Dask cluster at {address} has no workers", f"start some: `dask worker {address}`")


def main() -> NoReturn:
    """Run the flow in the name of the stage that started it, and exit with its status."""
    sys.exit(run_flow("text-recognizer preprocess", lambda: on_dask(config.load())))


if __name__ == "__main__":
    main()
