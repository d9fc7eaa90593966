"""Let a stage run once at a time in a project. DVC's own lock ends with `dvc`, and a stage may outlive it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from text_recognizer.core.layout import Layout
from text_recognizer.utils.process_locks import hold


@contextmanager
def stage_lock(stage: str, layout: Layout, report: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock of a stage during the block. `report` gets a line if the last run of the stage was killed.

    Raises BusyError if the stage is running.
    """
    with hold(layout.locks / f"{stage}.lock", f"the stage {stage!r}") as killed:
        if killed:
            report(f"{stage}: process {killed.pid} was killed in this stage; its lock is taken over")
        yield
