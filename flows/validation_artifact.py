"""Show in Prefect what the last validation found."""

from collections.abc import Sequence
from pathlib import Path

from prefect.artifacts import create_markdown_artifact

from flows.report_links import cell, data_docs_links, table
from flows.summary import read_report
from text_recognizer.core.errors import DataError
from text_recognizer.core.layout import Layout
from text_recognizer.core.schemas import Expectation, SplitCounts, ValidationSummary


def publish_validation(project: Path, key: str) -> None:
    """Store the summary of the last validation as an artifact of the run, if there is one."""
    try:
        summary = read_report(ValidationSummary, Layout(project).validation)
    except DataError:
        return
    description = "What the last validation found in the data"
    create_markdown_artifact(markdown(summary, project), key=key, description=description)


def markdown(summary: ValidationSummary, project: Path) -> str:
    """Return the outcome, the counts, the problems and every expectation as Markdown, with links to the Data Docs."""
    counts, feedback, rows = summary.counts, summary.feedback, summary.expectations
    parts = [
        f"**{'All expectations hold' if summary.passed else 'The data are not valid'}**: {counts.forms} forms, "
        f"{counts.lines} lines, {counts.writers} writers. Data Docs: {data_docs_links(project)}",
        f"Drift: {summary.drift}. Corrections: {len(feedback.accepted)} accepted, {len(feedback.refused)} refused.",
        "\n".join(f"- {cell(str(row.wrong))}. Fix: {row.fix}." for row in rows if not row.passed),
        table(("split", "forms", "lines", "writers"), [_split(*item) for item in summary.splits.items()]),
        table(("", "suite", "expectation", "failing rows"), [_expectation(row) for row in rows]),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _split(name: str, counts: SplitCounts) -> Sequence[str]:
    return name, str(counts.forms), str(counts.lines), str(counts.writers)


def _expectation(row: Expectation) -> Sequence[str]:
    return "✓" if row.passed else "✗", row.suite, row.name, f"{row.failed} of {row.rows}"
