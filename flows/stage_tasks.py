"""Run the stages of `dvc.yaml` as Prefect tasks. A stage that is up to date costs no task."""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import Task

from flows.dvc_stages import UP_TO_DATE, Step, run_stage
from text_recognizer.core.errors import TEMPORARY, ConfigError, TextRecognizerError

RETRY_SECONDS = [10.0, 60.0]


def is_temporary(_task: "Task[..., object]", _run: TaskRun, state: State) -> bool:
    """Return whether a task failed for a reason that may go away by itself."""
    return isinstance(state.data, TextRecognizerError) and state.data.exit_status == TEMPORARY


# Prefect caches nothing here: DVC knows whether a stage has to run.
@task(
    task_run_name="{stage}",
    cache_policy=NO_CACHE,
    retries=len(RETRY_SECONDS),
    retry_delay_seconds=RETRY_SECONDS,
    retry_condition_fn=is_temporary,
)
def bring_up_to_date(stage: str, project: Path, force: bool = False) -> str:
    """Return what DVC did: 'ran', 'up to date' or 'restored from the cache'. Raises StageError."""
    log = get_run_logger()
    outcome = run_stage(stage, project, log.info, force=force)
    log.info("%s: %s", stage, outcome)
    return outcome


def run_steps(
    steps: Sequence[Step],
    project: Path,
    force: Collection[str] = (),
    after: Callable[[str], None] = lambda _: None,
) -> list[str]:
    """Bring the stages up to date in their order, and return those that DVC ran or restored.

    A stage is left out if nothing that it depends on has changed; `force` names stages that run anyway. `after` is
    called after each stage, also after one that is left out. Raises StageError, and ConfigError if `force` names no
    stage.
    """
    if unknown := set(force) - {step.name for step in steps}:
        names = ", ".join(step.name for step in steps)
        raise ConfigError(f"force names {', '.join(sorted(unknown))}, which is no stage", f"name some of: {names}")
    done: list[str] = []
    for step in steps:
        if step.name in force or step.changed or step.upstream.intersection(done):
            if bring_up_to_date(step.name, project, step.name in force) != UP_TO_DATE:
                done.append(step.name)
        else:
            get_run_logger().info("%s: %s", step.name, UP_TO_DATE)
        after(step.name)
    return done
