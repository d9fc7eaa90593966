"""The `monitor` flow: look at the model in service and at what waits, and start a training if there is a reason."""

import datetime
from pathlib import Path

from prefect import flow, get_run_logger
from prefect.artifacts import create_markdown_artifact
from prefect.deployments import run_deployment

from flows.logs import log_errors_as_messages
from flows.one_run import end_runs_that_were_killed
from flows.outcomes import run_name
from flows.report_links import table
from flows.tell import tell, tell_of_failure
from text_recognizer.core import config
from text_recognizer.release.http_json import NoAnswerError, ask
from text_recognizer.release.watching import Facts, Limits, look, reasons_to_retrain


@flow(
    name="monitor",
    description="Looks at the model in service, and starts a training if there is a reason.",
    flow_run_name=run_name,
    on_failure=[tell_of_failure],
)
def monitor(
    project: Path = Path(),
    max_days: float = 90.0,
    max_corrections: int = 50,
    deployment: str = "retrain/weekly",
    service: str = "http://127.0.0.1:3000",
) -> list[str]:
    """Return the reasons to train again, and start a run of `deployment` if there is one; empty: start none.

    A model may be in service for `max_days`, and `max_corrections` corrections are enough for a training. A run whose
    process was killed in the clone is ended. `service` is only asked which model it answers with.
    """
    log_errors_as_messages()
    folder = project.resolve()
    end_runs_that_were_killed(folder)
    facts = look(folder, config.load(folder / config.PARAMS_FILE).promote)
    limits = Limits(max_days, max_corrections)
    reasons = reasons_to_retrain(facts, limits, datetime.datetime.now(datetime.UTC))
    create_markdown_artifact(markdown(facts, reasons, answers_with(service)), key="monitor")
    get_run_logger().info("train again: %s", "; ".join(reasons) or "no")
    if facts.drift:
        tell("drift", facts.drift)
    if reasons and deployment:
        tell("retraining", "; ".join(reasons))
        run_deployment(deployment, parameters={"reason": reasons[0]}, timeout=0, as_subflow=False)
    return reasons


def answers_with(service: str) -> str:
    """Return the version of the model that a service answers with, or why it does not answer."""
    try:
        return str(ask(f"{service}/model")["version"]) if service else "no service was named"
    except NoAnswerError as problem:
        return problem.what


def markdown(facts: Facts, reasons: list[str], service: str) -> str:
    """Return the decision with its reasons, and the facts, as Markdown."""
    decision = "Train again: " + "; ".join(reasons) if reasons else "There is no reason to train again"
    rows = [
        ("model in service", facts.version or "none"),
        ("since", facts.since or "never"),
        ("the service answers with", service),
        ("corrections waiting", str(facts.corrections)),
        ("drift", facts.drift or "none over the limits in the last validation"),
    ]
    return f"**{decision}**\n\n{table(('', ''), rows)}\n"
