"""The `ingest` flow: fetch, validate and pack the data, and show what the validation found. It trains nothing.

`python -m flows.ingest` runs it here and now; `prefect.yaml` deploys it.
"""

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NoReturn

from prefect import flow
from prefect.client.schemas.objects import State

from flows.child_process import in_own_session
from flows.dvc_stages import StageError, Step, pipeline
from flows.entry import run_flow
from flows.flow_options import OPTIONS
from flows.keeping import commit_run, push_run
from flows.logs import log_errors_as_messages
from flows.one_run import IfBusy, only_run
from flows.outcomes import skipped
from flows.stage_tasks import run_steps
from flows.validation_artifact import publish_validation
from text_recognizer.core.layout import LAYOUT
from text_recognizer.utils.process_locks import BusyError

VALIDATE, PREPROCESS = "validate", "preprocess"


@flow(
    name="ingest",
    description="Fetches, validates and packs the data, and shows what the validation found.",
    **OPTIONS,
)
def ingest(
    project: Path = Path(),
    reason: str = "on request",
    force: tuple[str, ...] = (),
    commit: bool = False,
    if_busy: IfBusy = "wait",
) -> State[None] | None:
    """Bring the stages of the data up to date; `project` is the folder of a clone.

    The other parameters are those of `retrain`. Raises StageError if a stage fails. Later stages are then not run, and
    nothing is committed. Raises NotPushedError as `retrain` does.
    """
    log_errors_as_messages()
    folder = project.resolve()
    try:
        with only_run(folder, if_busy):
            steps = steps_of_the_data(pipeline(folder))
            try:
                run_steps(steps, folder, force)
            except StageError as failure:
                if failure.stage in (VALIDATE, PREPROCESS):
                    publish_validation(folder, "ingest")
                raise
            publish_validation(folder, "ingest")
            if commit:
                commit_run(folder, reason)
                push_run(folder)
    except BusyError as busy:
        return skipped(str(busy))
    return None


def steps_of_the_data(steps: Sequence[Step]) -> list[Step]:
    """Return the stage that packs the data, and all that it depends on, in their order."""
    upstream = next((step.upstream for step in steps if step.name == PREPROCESS), frozenset())
    return [step for step in steps if step.name == PREPROCESS or step.name in upstream]


def _ingest_and_report() -> State[None]:
    state: State[None] = ingest(return_state=True)
    if state.is_completed():
        print(f"\ndata packed in {LAYOUT.processed}; Data Docs: {LAYOUT.data_docs / 'index.html'}\n", flush=True)
    return state


def main() -> NoReturn:
    """Run the flow and exit with its status."""
    sys.exit(in_own_session(partial(run_flow, "ingest", _ingest_and_report)))


if __name__ == "__main__":
    main()
