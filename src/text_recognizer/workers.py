"""Work shared out among processes that end with the run, whatever ends it."""

import os
import signal
import threading
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import parent_process
from typing import TypeVar

from text_recognizer.errors import TextRecognizerError

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_processes(
    work: Callable[[Item], Result], items: Sequence[Item], parameter: str, workers: int
) -> Generator[Result, None, None]:
    """`work` of every item, in order, by `workers` processes; 0 means one a core, and one works in this process.

    Raises TextRecognizerError, naming the `parameter` that sets their number, where a process is killed from outside.
    """
    workers = min(workers or os.cpu_count() or 1, len(items))
    if workers <= 1:
        yield from map(work, items)
        return
    pool = ProcessPoolExecutor(workers, initializer=_start)
    try:
        yield from pool.map(work, items)
    except BrokenProcessPool:
        raise TextRecognizerError(
            "a worker process was killed, for want of memory perhaps", f"set {parameter} to a smaller number"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _start() -> None:
    """Leaves Ctrl-C to the parent, which stops its workers, and ends with a parent that was killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent:
        parent.join()
        os._exit(1)
