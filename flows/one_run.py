"""Let one flow at a time work in a clone, and end the runs whose process was killed.

The lock is one of the system and lies in the clone, so that it ends with its process, whatever ends that. Prefect's own
limits of concurrency count a run whose process is gone for good, and end a run whose server was started again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal
from uuid import UUID

from prefect import get_run_logger
from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound
from prefect.runtime import flow_run
from prefect.states import Crashed

from flows.tell import tell
from text_recognizer.core.layout import Layout
from text_recognizer.utils.process_locks import Holder, hold, holder

IfBusy = Literal["skip", "wait"]


@contextmanager
def only_run(project: Path, if_busy: IfBusy = "skip") -> Iterator[None]:
    """Work alone in the clone during the block; end the run that was killed in it before, if one was.

    Raises BusyError if another flow works there and `if_busy` is 'skip'; 'wait' waits for it.
    """
    with hold(Layout(project).pipeline_lock, "the pipeline", str(flow_run.id or ""), wait=if_busy == "wait") as killed:
        if killed:
            end_dead_run(killed)
        yield


def end_runs_that_were_killed(project: Path) -> bool:
    """End the run that holds the lock of the clone if its process is gone. Return whether there was one."""
    entry, held = holder(Layout(project).pipeline_lock)
    if held or not entry:
        return False
    end_dead_run(entry)
    return True


def end_dead_run(killed: Holder) -> None:
    """Say that a process was killed, and set its flow run to Crashed if the server knows it and has it as running."""
    log = get_run_logger()
    log.warning("process %s was killed in this clone, where it worked since %s", killed.pid, killed.since)
    if not killed.note:
        return
    with get_client(sync_client=True) as client:
        try:
            run = client.read_flow_run(UUID(killed.note))
        except ObjectNotFound:
            return
        if run.state and not run.state.is_final():
            message = f"process {killed.pid} was killed; the next run goes on from its last finished stage"
            client.set_flow_run_state(run.id, Crashed(message=message), force=True)
            log.warning("the run %s is now ended as crashed", run.name)
            tell("failed", f"{run.name}: {message}")
