"""The `retrain` flow: run every stage of `dvc.yaml`, one task each, and show a summary.

`python -m flows.retrain` runs it here and now, without a server or against PREFECT_API_URL; `prefect.yaml` deploys it.
"""

import sys
from functools import partial
from pathlib import Path
from typing import NoReturn

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import Task

from flows.child_process import in_own_session
from flows.dvc_stages import StageError, pipeline, run_stage
from flows.entry import run_flow
from flows.logs import log_errors_as_messages
from flows.summary import markdown, plain, rejection, summarise
from text_recognizer.core.errors import TEMPORARY, TextRecognizerError
from text_recognizer.release.promotion import challenge

GATE = "gate"
RETRY_SECONDS = [10.0, 60.0]


class RejectedError(TextRecognizerError):
    """The model may not be released: the gate rejected it, or it does not beat the model in service."""

    code = "rejected"


@flow(name="retrain", description="Brings every stage of dvc.yaml up to date and shows a summary.")
def retrain(project: Path = Path()) -> None:
    """Bring every stage up to date; `project` is the folder of a clone.

    Raises StageError if a stage fails and RejectedError if the model may not be released. The later stages are then not
    run. DVC knows what is up to date, so a flow that was stopped continues where it stopped.
    """
    log_errors_as_messages()
    folder = project.resolve()
    for stage in pipeline(folder):
        bring_up_to_date(stage, folder)
        if stage == GATE:
            require_accepted(folder)
            require_better(folder)
    publish(folder)


def is_temporary(_task: "Task[..., object]", _run: TaskRun, state: State) -> bool:
    """Return whether a stage failed for a reason that may go away by itself."""
    return isinstance(state.data, StageError) and state.data.exit_status == TEMPORARY


# Prefect caches nothing here: DVC knows whether a stage has to run.
@task(
    task_run_name="{stage}",
    cache_policy=NO_CACHE,
    retries=len(RETRY_SECONDS),
    retry_delay_seconds=RETRY_SECONDS,
    retry_condition_fn=is_temporary,
)
def bring_up_to_date(stage: str, project: Path) -> str:
    """Return what DVC did: 'ran', 'up to date' or 'restored from the cache'. Raises StageError."""
    log = get_run_logger()
    outcome = run_stage(stage, project, log.info)
    log.info("%s: %s", stage, outcome)
    return outcome


def require_accepted(project: Path) -> None:
    """Raise RejectedError, after the summary is shown, if the gate rejected the model."""
    if reasons := rejection(project):
        publish(project)
        fix = "open reports/report.html; train longer or on more data, or change the limits under gate in params.yaml"
        raise RejectedError(f"the gate rejected the model, nothing was bundled:\n{reasons}", fix)


def require_better(project: Path) -> None:
    """Raise RejectedError, after the summary is shown, if the model loses to the model in service."""
    failed = [rule for rule in challenge(project) if not rule.passed]
    if failed:
        publish(project)
        reasons = "\n".join(f"  {rule.name}: {rule.reason}" for rule in failed)
        fix = "train longer or on more data; `text-recognizer models` lists the model in service"
        raise RejectedError(f"the model does not beat the one in service, nothing was bundled:\n{reasons}", fix)


def publish(project: Path) -> None:
    """Print the summary and store it as an artifact of the run."""
    rows = summarise(project)
    create_markdown_artifact(markdown(rows), key="retrain", description="What the last run made, and how well it reads")
    print(f"\n{plain(rows)}\n", flush=True)


def main() -> NoReturn:
    """Run the flow and exit with its status."""
    sys.exit(in_own_session(partial(run_flow, "retrain", retrain)))


if __name__ == "__main__":
    main()
