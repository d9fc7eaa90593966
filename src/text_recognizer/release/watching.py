"""Decide from what is known about the model in service and about the service whether to train again, and say why."""

import datetime
from dataclasses import dataclass, field
from pathlib import Path

from text_recognizer.core.errors import DataError
from text_recognizer.core.layout import Layout
from text_recognizer.core.params import PromoteSection
from text_recognizer.core.schemas import Record, ValidationSummary
from text_recognizer.corpora.corrections import list_ids
from text_recognizer.release.ledger import RegistryTag
from text_recognizer.release.promotion import open_registry
from text_recognizer.release.service_traffic import Traffic
from text_recognizer.utils.records import read_record

FEW_REQUESTS = 20


@dataclass(frozen=True)
class Facts:
    """What is known: since when a model is in service (ISO 8601; None: there is none), and what waits for the next.

    `drift` is what the last validation found of it. It is no reason to train: data that drift do not pass a validation.
    `traffic` is what the service answered since the last look, `started` when a look last started a training.
    """

    version: str | None
    since: str | None
    corrections: int
    drift: str | None = None
    traffic: Traffic = field(default_factory=Traffic)
    started: str | None = None


@dataclass(frozen=True)
class Limits:
    """When to train again: the age of the model in days, and the number of corrections that wait.

    No training is started while the service fails a larger share of the requests than `max_failed`, and no second one
    within `pause_hours`.
    """

    max_days: float
    max_corrections: int
    max_failed: float = 0.05
    pause_hours: float = 24.0


class LastLook(Record):
    """What the next look needs of this one: the counts of the service, and when a training was last started."""

    traffic: Traffic = Traffic()
    started: str | None = None


def look(project: Path, section: PromoteSection, counts: Traffic, last: LastLook) -> Facts:
    """Return the facts about a project, whose service has these counts now. Raises RegistryError."""
    champion = champion_of(project, section)
    version, since = (champion.version, champion.when) if champion else (None, None)
    traffic = counts.after(last.traffic)
    return Facts(version, since, corrections_waiting(project), drift_found(project), traffic, last.started)


def last_look(project: Path) -> LastLook:
    """Return what the last look left. One that is missing or damaged counts as none."""
    try:
        return read_record(LastLook, Layout(project).last_look, "", "")
    except DataError:
        return LastLook()


def reasons_to_retrain(facts: Facts, limits: Limits, now: datetime.datetime) -> list[str]:
    """Return why to train again; empty if there is no reason."""
    reasons = []
    if facts.corrections >= limits.max_corrections:
        reasons.append(f"{facts.corrections} corrections wait, and {limits.max_corrections} are enough")
    if facts.since is None:
        reasons.append("no model is in service")
    elif (days := _hours_since(facts.since, now) / 24) > limits.max_days:
        reasons.append(f"{facts.version} is in service for {days:.1f} days, and {limits.max_days:g} is the limit")
    elif days < -1:
        reasons.append(f"{facts.version} is in service since {facts.since}, which is yet to come: its age is unknown")
    return reasons


def reason_to_wait(facts: Facts, limits: Limits, now: datetime.datetime) -> str:
    """Return why no training may be started now, whatever the reasons for one; empty if one may.

    A service that fails needs a person: a training does not mend it, takes its processors, and cannot be deployed.
    """
    if failing := service_failing(facts, limits):
        return failing
    # A start that is yet to come is one of a clock that was wrong. It must not keep trainings from starting.
    if facts.started and 0 <= (hours := _hours_since(facts.started, now)) < limits.pause_hours:
        return f"a training was started {hours:.1f} hours ago, and the next one may be after {limits.pause_hours:g}"
    return ""


def service_failing(facts: Facts, limits: Limits) -> str:
    """Return how the service fails, if it fails too many requests; few requests say nothing."""
    traffic = facts.traffic
    if traffic.requests < FEW_REQUESTS or traffic.share <= limits.max_failed:
        return ""
    return (
        f"the service failed {traffic.failed} of {traffic.requests} requests since the last look ({traffic.share:.0%});"
        f" {limits.max_failed:.0%} is the limit"
    )


def _hours_since(when: str, now: datetime.datetime) -> float:
    return (now - datetime.datetime.fromisoformat(when)).total_seconds() / 3600


def champion_of(project: Path, section: PromoteSection) -> RegistryTag | None:
    """Return the model in service; None if there is none."""
    with open_registry(project, section) as (_, ledger):
        return ledger.champion()


def corrections_waiting(project: Path) -> int:
    """Return how many corrections came after the last validation."""
    files = Layout(project)
    if not files.feedback.is_dir():
        return 0
    known = _validated(files)
    return len(set(list_ids(files.feedback)) - known)


def drift_found(project: Path) -> str | None:
    """Return what the last validation says about labels that drift over the limit; None if they do not."""
    try:
        summary = _summary(Layout(project))
    except DataError:
        return None
    drifts = [row for row in summary.expectations if "drift" in row.name and not row.passed]
    return f"the labels drift: {drifts[0].wrong}" if drifts else None


def _validated(files: Layout) -> set[str]:
    try:
        feedback = _summary(files).feedback
    except DataError:
        return set()
    return set(feedback.accepted) | set(feedback.refused)


def _summary(files: Layout) -> ValidationSummary:
    again = "run `text-recognizer validate`"
    return read_record(ValidationSummary, files.validation, again, again)
