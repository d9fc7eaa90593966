"""The `monitor` flow: look at the model in service, the service and what waits, and train if there is a reason."""

import datetime
from pathlib import Path

from prefect import flow, get_run_logger
from prefect.artifacts import create_markdown_artifact
from prefect.deployments import run_deployment

from flows.flow_options import OPTIONS
from flows.logs import log_errors_as_messages
from flows.one_run import end_runs_that_were_killed
from flows.report_links import table
from flows.tell import tell
from text_recognizer.core import config
from text_recognizer.core.layout import Layout
from text_recognizer.release.http_json import NoAnswerError, ask, token_header
from text_recognizer.release.service_traffic import Traffic, traffic_of
from text_recognizer.release.watching import (
    Facts,
    LastLook,
    Limits,
    last_look,
    look,
    reason_to_wait,
    reasons_to_retrain,
    service_failing,
)
from text_recognizer.utils.files import write_json


@flow(
    name="monitor",
    description="Looks at the model in service, and starts a training if there is a reason.",
    **OPTIONS,
)
def monitor(
    project: Path = Path(),
    max_days: float = 90.0,
    max_corrections: int = 50,
    max_failed: float = 0.05,
    deployment: str = "retrain/weekly",
    service: str = "http://127.0.0.1:3000",
) -> list[str]:
    """Return the reasons to train again, and start a run of `deployment` if there is one; empty: start none.

    A model may be in service for `max_days`, and `max_corrections` corrections are enough for a training. While the
    service at `service` fails a larger share of its requests than `max_failed`, people are told and no training is
    started; nor is a second one within a day. A run whose process was killed in the clone is ended.
    """
    log_errors_as_messages()
    folder, now = project.resolve(), datetime.datetime.now(datetime.UTC)
    end_runs_that_were_killed(folder)
    last = last_look(folder)
    counts, answers = counts_of(service, last.traffic), answers_with(service)
    facts = look(folder, config.load(folder / config.PARAMS_FILE).promote, counts, last)
    limits = Limits(max_days, max_corrections, max_failed)
    reasons, wait = reasons_to_retrain(facts, limits, now), reason_to_wait(facts, limits, now)
    create_markdown_artifact(markdown(facts, reasons, wait, answers), key="monitor")
    get_run_logger().info("train again: %s", "; ".join(reasons) or "no")
    tell_of(facts, limits)
    started = facts.started
    if reasons and deployment and not wait:
        tell("retraining", "; ".join(reasons))
        run_deployment(deployment, parameters={"reason": reasons[0]}, timeout=0, as_subflow=False)
        started = now.isoformat(timespec="seconds")
    write_json(Layout(folder).last_look, LastLook(traffic=counts, started=started).model_dump(mode="json"))
    return reasons


def tell_of(facts: Facts, limits: Limits) -> None:
    """Tell people of labels that drift and of a service that fails."""
    if facts.drift:
        tell("drift", facts.drift)
    if failing := service_failing(facts, limits):
        tell("errors", failing)


def counts_of(service: str, last: Traffic) -> Traffic:
    """Return how many requests a service has answered; those of the last look if it does not say."""
    try:
        return traffic_of(service) if service else last
    except NoAnswerError as problem:
        get_run_logger().warning("the requests are not counted: %s", problem.what)
        return last


def answers_with(service: str) -> str:
    """Return the version of the model that a service answers with, or why it does not answer."""
    try:
        return str(ask(f"{service}/model", headers=token_header())["version"]) if service else "no service was named"
    except NoAnswerError as problem:
        return problem.what


def markdown(facts: Facts, reasons: list[str], wait: str, service: str) -> str:
    """Return the decision with its reasons, and the facts, as Markdown."""
    decision = "Train again: " + "; ".join(reasons) if reasons else "There is no reason to train again"
    if reasons and wait:
        decision = f"No training is started now, because {wait}. The reasons for one: {'; '.join(reasons)}"
    traffic = facts.traffic
    rows = [
        ("model in service", facts.version or "none"),
        ("since", facts.since or "never"),
        ("the service answers with", service),
        ("requests since the last look", f"{traffic.requests}, of which {traffic.failed} failed"),
        ("corrections waiting", str(facts.corrections)),
        ("drift", facts.drift or "none over the limits in the last validation"),
    ]
    return f"**{decision}**\n\n{table(('', ''), rows)}\n"
