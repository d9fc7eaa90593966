"""Validate the archives of all sources: build tables, check them with Great Expectations, and write the Data Docs."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from text_recognizer.core.params import Params
from text_recognizer.core.schemas import ArchiveCounts, CorrectionsFound, SplitCounts, ValidationSummary
from text_recognizer.corpora.page_sources import PageSource, open_sources
from text_recognizer.utils import telemetry
from text_recognizer.utils.files import sha256
from text_recognizer.validation import (
    audit_page,
    data_docs,
    drift,
    label_audit,
    left_out_page,
    suites,
    tables,
    thumbnails,
)
from text_recognizer.validation.label_audit import AuditedLine, ReadLines, audit
from text_recognizer.validation.outcome import Outcome
from text_recognizer.validation.suite_runner import CheckedExpectation, checked_expectations, run_suites

if TYPE_CHECKING:
    from text_recognizer.validation.suite_runner import Results


@dataclass(frozen=True)
class Beside:
    """What a validation looks at beside the archives; each may be missing.

    `feedback` is a folder of corrections, `accepted` the file with the reference of the last accepted data, and `read`
    reads the training lines, to hold their labels against what is read.
    """

    feedback: Path | None = None
    accepted: Path | None = None
    read: ReadLines | None = None


@dataclass(frozen=True)
class Examination:
    """Everything that a validation found, before the Data Docs are written. `archives` has the archive of each form."""

    outcome: Outcome
    rules: tuple[suites.Rule, ...]
    results: "Results"
    checked: tuple[CheckedExpectation, ...]
    archives: dict[str, Path]
    audited: Sequence[AuditedLine]


def validate(
    sources: Sequence[PageSource],
    params: Params,
    docs: Path,
    beside: Beside | None = None,
) -> Outcome:
    """Check every form of the archives of `sources` and write the Data Docs to the folder `docs`.

    Faulty forms are rows of the outcome. Raises DataError if there is nothing to check: an archive is
    missing, is not a complete zip in IAM's layout, or lacks the lists of its split.
    """
    beside = beside or Beside()
    found = examine(sources, params, beside)
    pictures = thumbnails.form_thumbnails(found.checked, found.archives, beside.feedback)
    files = left_out_page.site_files(sources) | audit_page.site_files(found.audited, params.validate_)
    data_docs.write(docs, found.outcome.summary, found.rules, found.results, data_docs.SiteFiles(pictures, files))
    return found.outcome


def examine(sources: Sequence[PageSource], params: Params, beside: Beside | None = None) -> Examination:
    """Check every form of the archives, as `validate` does, without writing the Data Docs."""
    telemetry.disable_telemetry()
    # This comes before Great Expectations is loaded, so that the processes that read pictures stay small. Opening the
    # archives first gives the right error if one is missing.
    with open_sources(sources, params.data.exclude):
        digest = _digest(sources)
    beside = beside or Beside()
    found = tables.build(sources, params, beside.feedback, drift.open_reference(beside.accepted, params.data, digest))
    audited = audit(sources, params.data.exclude, beside.read) if beside.read else []
    empty = {suites.REFUSED: found.feedback.empty, suites.AUDIT: not audited}
    rules = tuple(rule for rule in suites.rules(params) if not empty.get(rule.suite))
    frames = {rule.suite: found.of_suite(rule.suite) for rule in rules if rule.suite != suites.AUDIT}
    if audited:
        frames[suites.AUDIT] = label_audit.table(audited)
    results = run_suites(frames, rules)
    checked = tuple(checked_expectations(rules, results, frames))
    result = _summary(digest, params, found, checked)
    if audited:
        result = result.model_copy(update={"audit": label_audit.summary(audited, params.validate_)})
    outcome = Outcome(result, drift.new_reference(found.labels, params.data, digest))
    return Examination(outcome, rules, results, checked, found.archives, audited)


def _digest(sources: Sequence[PageSource]) -> str:
    """Return the SHA-256 of the archive; of several, that of their digests one after the other."""
    digests = [sha256(source.archive) for source in sources]
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def _summary(
    digest: str, params: Params, found: tables.Tables, checked: tuple[CheckedExpectation, ...]
) -> ValidationSummary:
    failing = [row for row in checked if not row.record.passed and row.record.suite != suites.REFUSED]
    return ValidationSummary(
        passed=not failing,
        sha256=digest,
        split=params.data.split_names,
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
        sources=found.sources,
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
