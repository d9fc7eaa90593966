"""Summarise a run of the pipeline from its reports, for the terminal and for Prefect."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from text_recognizer.core.layout import Layout
from text_recognizer.core.schemas import Record, Score, ValidationSummary, Verdict
from text_recognizer.utils.records import read_record

SERVE = "make serve"
RUN_PIPELINE = "run the whole pipeline: `make demo`"
SPLITS = ("train", "validation", "test")
Row = tuple[str, str]
Report = TypeVar("Report", bound=Record)


def read_report(kind: type[Report], path: Path) -> Report:
    """Read a report as a record. Raises DataError if the file is missing, damaged or of another version."""
    again = f"make it again: `dvc repro --force`, or remove {path} and run `dvc repro`"
    return read_record(kind, path, RUN_PIPELINE, again)


def rejection(project: Path) -> str:
    """Return the reasons of the rules that failed, one a line; empty if the gate passed the model. Raises DataError."""
    verdict = read_report(Verdict, Layout(project).verdict)
    if verdict.passed:
        return ""
    return rule_reasons(verdict) or "  the verdict names no rule"


def rule_reasons(verdict: Verdict) -> str:
    """Return the name and the reason of each rule that failed, one a line."""
    return "\n".join(f"  {rule.name}: {rule.reason}" for rule in verdict.failed)


def summarise(project: Path) -> list[Row]:
    """Return what was made, how well it reads and where it is, as rows of a name and a value. Raises DataError."""
    files, shown = Layout(project), Layout()
    score = read_report(Score, files.score)
    verdict = read_report(Verdict, files.verdict)
    validation = read_report(ValidationSummary, files.validation)
    low, high = score.cer_interval
    return [
        ("data", _counts(validation)),
        ("test CER", f"{score.cer:.2%} ({low:.2%} to {high:.2%}), limit {_limit(verdict, 'cer')}"),
        ("test WER", f"{score.wer:.2%}, limit {_limit(verdict, 'wer')}"),
        ("tested on", f"{score.pages} pages, {score.characters} characters"),
        *_review(score),
        *_worst_slice(score),
        ("verdict", "accepted" if verdict.passed else "rejected"),
        ("Data Docs", str(shown.data_docs / "index.html")),
        ("report", str(shown.report)),
        *_served(files, verdict.passed),
    ]


def plain(rows: Sequence[Row]) -> str:
    """Return the rows as two columns for a terminal."""
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)


def _review(score: Score) -> list[Row]:
    point = score.calibration.at_budget
    if not point:
        return []
    return [("review", f"re-reading {point.share:.0%} of the words finds {point.found:.0%} of the wrong ones")]


def _worst_slice(score: Score) -> list[Row]:
    slices = [row for row in score.slices if row.by != "character"]
    if not slices:
        return []
    worst = max(slices, key=lambda row: row.cer)
    return [("worst slice", f"{worst.name}: {worst.cer:.2%} on {worst.pages} pages")]


def _served(files: Layout, accepted: bool) -> list[Row]:
    bento = Layout().bento
    if accepted:
        return [("bento", str(bento)), ("serve it", SERVE)]
    if (files.bento / "bento.yaml").is_file():
        return [("bento", f"{bento} still holds the last accepted model")]
    return [("bento", "none: the model was rejected")]


def _counts(validation: ValidationSummary) -> str:
    counts, splits = validation.counts, validation.splits
    parts = ", ".join(f"{splits[split].forms} {split}" for split in SPLITS if split in splits)
    return f"{counts.forms} forms ({parts}), {counts.lines} lines, {counts.writers} writers"


def _limit(verdict: Verdict, name: str) -> str:
    limit = next((rule.limit for rule in verdict.rules if rule.name == name), None)
    return f"{limit:.2%}" if isinstance(limit, int | float) else "none"
