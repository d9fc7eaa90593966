"""Validate an archive: build its tables, check them with Great Expectations, and write the Data Docs."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from text_recognizer.core.params import Params
from text_recognizer.core.schemas import ArchiveCounts, CorrectionsFound, SplitCounts, ValidationSummary
from text_recognizer.corpora.iam import IamArchive
from text_recognizer.utils import telemetry
from text_recognizer.utils.files import sha256
from text_recognizer.validation import data_docs, drift, suites, tables, thumbnails
from text_recognizer.validation.outcome import Outcome
from text_recognizer.validation.suite_runner import CheckedExpectation, checked_expectations, run_suites

if TYPE_CHECKING:
    from text_recognizer.validation.suite_runner import Results


@dataclass(frozen=True)
class Examination:
    """Everything that a validation found, before the Data Docs are written."""

    outcome: Outcome
    rules: tuple[suites.Rule, ...]
    results: "Results"
    checked: tuple[CheckedExpectation, ...]


def validate(
    archive: Path, params: Params, docs: Path, feedback: Path | None = None, accepted: Path | None = None
) -> Outcome:
    """Check every form of an archive in IAM's layout and write the Data Docs to the folder `docs`.

    `feedback` is a folder of corrections. `accepted` is the file with the reference of the last accepted data. Either
    may be missing. Faulty forms are rows of the outcome. Raises DataError if there is nothing to check: the archive
    is missing, is not a complete zip in IAM's layout, or lacks the lists of `params.data.split`.
    """
    found = examine(archive, params, feedback, accepted)
    pictures = thumbnails.form_thumbnails(found.checked, archive, feedback)
    data_docs.write(docs, found.outcome.summary, found.rules, found.results, pictures)
    return found.outcome


def examine(archive: Path, params: Params, feedback: Path | None = None, accepted: Path | None = None) -> Examination:
    """Check every form of an archive, as `validate` does, without writing the Data Docs."""
    telemetry.disable_telemetry()
    # This comes before Great Expectations is loaded, so that the processes that read pictures stay small. Opening the
    # archive first gives the right error if it is missing.
    with IamArchive(archive):
        digest = sha256(archive)
    found = tables.build(archive, params, feedback, drift.open_reference(accepted, params.data, digest))
    rules = tuple(rule for rule in suites.rules(params) if rule.suite != suites.REFUSED or len(found.feedback))
    frames = {rule.suite: found.of_suite(rule.suite) for rule in rules}
    results = run_suites(frames, rules)
    checked = tuple(checked_expectations(rules, results, frames))
    outcome = Outcome(_summary(digest, params, found, checked), drift.new_reference(found.labels, params.data, digest))
    return Examination(outcome, rules, results, checked)


def _summary(
    digest: str, params: Params, found: tables.Tables, checked: tuple[CheckedExpectation, ...]
) -> ValidationSummary:
    failing = [row for row in checked if not row.record.passed and row.record.suite != suites.REFUSED]
    return ValidationSummary(
        passed=not failing,
        sha256=digest,
        split=params.data.split,
        counts=ArchiveCounts(
            forms=len(found.forms),
            lines=len(found.lines),
            writers=found.forms["writer"].nunique(),
            excluded=len(found.excluded),
        ),
        splits={
            str(row["split"]): SplitCounts(
                forms=int(row["forms"]), lines=int(row["lines"]), writers=int(row["writers"])
            )
            for row in found.splits.to_dict("records")
        },
        drift=found.compared,
        feedback=_corrections([str(name) for name in found.feedback["id"]], checked),
        expectations=tuple(row.record for row in checked),
        forms_at_fault=tuple(sorted({form for row in failing for form in row.forms if form})),
    )


def _corrections(names: list[str], checked: tuple[CheckedExpectation, ...]) -> CorrectionsFound:
    """Divide the corrections into accepted ones and refused ones with all reasons."""
    refused: dict[str, tuple[str, ...]] = {}
    for row in (row.record for row in checked if row.record.suite == suites.REFUSED):
        for name, value in zip(row.ids, row.found, strict=True):
            refused[name] = (*refused.get(name, ()), f"{row.name}: {value or row.fails_when}")
    return CorrectionsFound(accepted=tuple(name for name in names if name not in refused), refused=refused)
