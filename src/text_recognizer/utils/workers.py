"""Distribute work over processes that end with the main process, whatever ends that."""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import parent_process
from typing import TypeVar

from text_recognizer.core.errors import TextRecognizerError

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_in_processes(
    work: Callable[[Item], Result], items: Sequence[Item], parameter: str, workers: int
) -> Generator[Result, None, None]:
    """Yield the result of `work` for every item, in order, computed by `workers` processes.

    0 means one process for each core. A single worker is this process itself. `parameter` names the parameter that sets
    the number of workers. Raises TextRecognizerError if a worker is killed.
    """
    workers = min(workers or os.cpu_count() or 1, len(items))
    if workers <= 1:
        yield from map(work, items)
        return
    pool = _pool(workers)
    try:
        yield from pool.map(work, items)
    except BrokenProcessPool:
        raise _killed(parameter) from None
    finally:
        pool.shutdown(cancel_futures=True)


def stream_through_processes(
    work: Callable[[Item], Result], items: Iterable[Item], parameter: str, workers: int
) -> Generator[Result, None, None]:
    """Yield the result of `work` for every item, in order, as `map_in_processes` does.

    The items are taken while the work goes on, at most two for each process ahead of their results. So an endless or a
    large stream of items needs little memory.
    """
    workers = workers or os.cpu_count() or 1
    if workers <= 1:
        yield from map(work, items)
        return
    pool, pending = _pool(workers), deque[Future[Result]]()
    try:
        for item in items:
            pending.append(pool.submit(work, item))
            if len(pending) >= 2 * workers:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    except BrokenProcessPool:
        raise _killed(parameter) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _pool(workers: int) -> ProcessPoolExecutor:
    """Return a pool of processes that begin anew.

    A copy of this process (`fork`) would hang for ever if another thread held a lock at that moment.
    """
    method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
    return ProcessPoolExecutor(workers, multiprocessing.get_context(method), initializer=_start)


def _killed(parameter: str) -> TextRecognizerError:
    what = "a worker process was killed, perhaps because memory ran out"
    return TextRecognizerError(what, f"set {parameter} to a smaller number")


def _start() -> None:
    """Leave Ctrl-C to the parent, which stops its workers, and end with the parent if that is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent:
        parent.join()
        os._exit(1)
