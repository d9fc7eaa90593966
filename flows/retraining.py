"""The `retrain` flow: run every stage of `dvc.yaml`, one task each, and show a summary.

`python -m flows.retrain` runs it here and now; `prefect.yaml` deploys it.
"""

from collections.abc import Collection
from pathlib import Path

from prefect import flow
from prefect.client.schemas.objects import State
from prefect.deployments import run_deployment

from flows.dvc_stages import StageError, pipeline
from flows.flow_options import OPTIONS
from flows.keeping import commit_run, push_run
from flows.logs import log_errors_as_messages
from flows.one_run import IfBusy, only_run
from flows.outcomes import rejected, skipped
from flows.release_checks import RejectedError, require_releasable
from flows.run_artifact import publish_run
from flows.stage_tasks import run_steps
from flows.summary import plain, summarise
from flows.tell import tell
from flows.validation_artifact import publish_validation
from text_recognizer.utils.process_locks import BusyError

GATE, VALIDATE = "gate", "validate"


@flow(
    name="retrain",
    description="Brings every stage of dvc.yaml up to date and shows a summary.",
    **OPTIONS,
)
def retrain(
    project: Path = Path(),
    reason: str = "on request",
    force: tuple[str, ...] = (),
    commit: bool = False,
    if_busy: IfBusy = "skip",
    then: str = "",
) -> State[None] | None:
    """Bring every stage up to date; `project` is the folder of a clone.

    `reason` is part of the run's name. `force` names stages to run although nothing has changed. With `commit`, what
    the run made is committed and pushed to DVC's remote, and its corpus gets a version. If another flow works in the
    clone, this one ends as Skipped, or waits for it. A model that may not be released ends the run as Rejected, without
    the later stages; after another one, a run of the deployment `then` is started, if it is named. Raises StageError if
    a stage fails, and NotPushedError if the remote is away. DVC knows what is up to date, so a flow that was stopped
    continues where it stopped.
    """
    log_errors_as_messages()
    folder = project.resolve()
    try:
        with only_run(folder, if_busy):
            refusal = run_pipeline(folder, force)
            if commit:
                commit_run(folder, reason)
            rows = summarise(folder)
            print(f"\n{plain(rows)}\n", flush=True)
            publish_run(folder, rows, refusal)
            if commit:
                push_run(folder)
    except BusyError as busy:
        return skipped(str(busy))
    if refusal:
        tell("rejected", refusal)
        return rejected(refusal)
    if then:
        run_deployment(then, parameters={"reason": reason}, timeout=0, as_subflow=False)
    return None


def run_pipeline(project: Path, force: Collection[str]) -> str:
    """Run the stages, and return why the model may not be released; empty if it may.

    Raises StageError. What a validation that failed has found is shown before.
    """

    def check(stage: str) -> None:
        if stage == GATE:
            require_releasable(project)

    try:
        run_steps(pipeline(project), project, force, check)
    except RejectedError as refusal:
        return str(refusal)
    except StageError as failure:
        if failure.stage == VALIDATE:
            publish_validation(project, "retrain-validation")
        raise
    return ""
