"""Decide from what is known about the model in service whether to train again, and say why."""

import datetime
from dataclasses import dataclass
from pathlib import Path

from text_recognizer.core.errors import DataError
from text_recognizer.core.layout import Layout
from text_recognizer.core.params import PromoteSection
from text_recognizer.core.schemas import ValidationSummary
from text_recognizer.corpora.corrections import list_ids
from text_recognizer.release.ledger import RegistryTag
from text_recognizer.release.promotion import open_registry
from text_recognizer.utils.records import read_record


@dataclass(frozen=True)
class Facts:
    """What is known: since when a model is in service (ISO 8601; None: there is none), and what waits for the next.

    `drift` is what the last validation found of it. It is no reason to train: data that drift do not pass a validation.
    """

    version: str | None
    since: str | None
    corrections: int
    drift: str | None = None


@dataclass(frozen=True)
class Limits:
    """When to train again: the age of the model in days, and the number of corrections that wait."""

    max_days: float
    max_corrections: int


def look(project: Path, section: PromoteSection) -> Facts:
    """Return the facts about a project. Raises RegistryError if the registry cannot be read."""
    champion = champion_of(project, section)
    version, since = (champion.version, champion.when) if champion else (None, None)
    return Facts(version, since, corrections_waiting(project), drift_found(project))


def reasons_to_retrain(facts: Facts, limits: Limits, now: datetime.datetime) -> list[str]:
    """Return why to train again; empty if there is no reason."""
    reasons = []
    if facts.corrections >= limits.max_corrections:
        reasons.append(f"{facts.corrections} corrections wait, and {limits.max_corrections} are enough")
    if facts.since is None:
        reasons.append("no model is in service")
    elif (days := (now - datetime.datetime.fromisoformat(facts.since)).total_seconds() / 86400) > limits.max_days:
        reasons.append(f"{facts.version} is in service for {days:.1f} days, and {limits.max_days:g} is the limit")
    return reasons


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
