"""The `retrain` flow: every stage of `dvc.yaml`, one task each, and at the end what came of it.

`python -m flows.retrain` runs it here and now, with no server configured or against PREFECT_API_URL; `prefect.yaml`
deploys it.
"""

import re
import sys
from functools import partial
from pathlib import Path
from typing import NoReturn

from prefect import flow, get_run_logger, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import Task

from flows.entry import status_of
from flows.logs import plain_failures
from flows.process import apart
from flows.stages import StageError, pipeline, run_stage
from flows.summary import markdown, plain, rejection, summarise
from text_recognizer.errors import TextRecognizerError
from text_recognizer.registry import challenge

GATE = "gate"
# What `fetch` says of an address that did not answer, or not to the end. No other failure goes away by itself.
MAY_PASS = re.compile(r"there is no \w+://|://\S+ (cannot be fetched|is cut short)")
RETRY_SECONDS = [10.0, 60.0]


class RejectedError(TextRecognizerError):
    """The gate rejected the model. The message holds its reasons."""


@flow(name="retrain", description="Brings every stage of dvc.yaml up to date, and says what came of it.")
def retrain(project: Path = Path()) -> None:
    """Raises StageError where a stage fails and RejectedError where the gate rejects; later stages are not run then.

    `project` is the folder of a clone. What is up to date is DVC's to say, so a flow that was stopped goes on.
    """
    plain_failures()
    folder = project.resolve()
    for stage in pipeline(folder):
        bring_up_to_date(stage, folder)
        if stage == GATE:
            require_accepted(folder)
            require_better(folder)
    publish(folder)


def may_pass(_task: Task, _run: TaskRun, state: State) -> bool:
    """Whether trying again can help."""
    return isinstance(state.data, StageError) and bool(MAY_PASS.search(str(state.data)))


# Never cached by Prefect: whether a stage has anything to do is DVC's to know.
@task(
    task_run_name="{stage}",
    cache_policy=NO_CACHE,
    retries=len(RETRY_SECONDS),
    retry_delay_seconds=RETRY_SECONDS,
    retry_condition_fn=may_pass,
)
def bring_up_to_date(stage: str, project: Path) -> str:
    """Returns what DVC did: 'ran', 'up to date' or 'restored from the cache'."""
    log = get_run_logger()
    outcome = run_stage(stage, project, log.info)
    log.info("%s: %s", stage, outcome)
    return outcome


def require_accepted(project: Path) -> None:
    """Raises RejectedError, after saying what there is to see, where the gate rejected the model."""
    if reasons := rejection(project):
        publish(project)
        fix = "open reports/report.html; train longer or on more data, or change the limits under gate in params.yaml"
        raise RejectedError(f"the gate rejected the model, nothing was bundled:\n{reasons}", fix)


def require_better(project: Path) -> None:
    """Raises RejectedError where a model is in service, and this one is another and may not take its place."""
    failed = [rule for rule in challenge(project) if not rule["passed"]]
    if failed:
        publish(project)
        reasons = "\n".join(f"  {rule['name']}: {rule['reason']}" for rule in failed)
        fix = "train longer or on more data; `text-recognizer models` shows the champion"
        raise RejectedError(f"the model in service is not beaten, nothing was bundled:\n{reasons}", fix)


def publish(project: Path) -> None:
    """Prints the summary and keeps it as an artifact of the run."""
    rows = summarise(project)
    create_markdown_artifact(markdown(rows), key="retrain", description="What the last run made, and how well it reads")
    print(f"\n{plain(rows)}\n", flush=True)


def main() -> NoReturn:
    """Runs the flow and exits with `entry.status_of` it."""
    sys.exit(apart(partial(status_of, "retrain", retrain)))


if __name__ == "__main__":
    main()
