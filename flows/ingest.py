"""The `ingest` flow: fetch, validate and pack the data, and show what the validation found. It trains nothing.

`python -m flows.ingest` runs it here and now; `prefect.yaml` deploys it.
"""

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NoReturn

from prefect import flow
from prefect.artifacts import create_markdown_artifact

from flows.child_process import in_own_session
from flows.dvc_stages import StageError
from flows.entry import run_flow
from flows.logs import log_errors_as_messages
from flows.retrain import bring_up_to_date
from flows.summary import read_report
from text_recognizer.core.errors import DataError
from text_recognizer.core.layout import LAYOUT, Layout
from text_recognizer.core.schemas import Expectation, SplitCounts, ValidationSummary

STAGES = ("fetch", "validate", "preprocess")


@flow(name="ingest", description="Fetches, validates and packs the data, and shows what the validation found.")
def ingest(project: Path = Path()) -> None:
    """Bring the stages of the data up to date; `project` is the folder of a clone.

    Raises StageError if a stage fails. Later stages are then not run.
    """
    log_errors_as_messages()
    folder = project.resolve()
    for stage in STAGES:
        try:
            bring_up_to_date(stage, folder)
        except StageError:
            if stage != "fetch":
                publish(folder)
            raise
    publish(folder)


def publish(project: Path) -> None:
    """Store the summary of the last validation as an artifact of the run, if there is one."""
    try:
        summary = read_report(ValidationSummary, Layout(project).validation)
    except DataError:
        return
    create_markdown_artifact(
        markdown(summary, project), key="ingest", description="What the last validation found in the data"
    )


def markdown(summary: ValidationSummary, project: Path) -> str:
    """Return the outcome, the counts, the problems and every expectation as Markdown, with links to the Data Docs."""
    files = Layout(project)
    docs = [folder / "index.html" for folder in (files.data_docs, files.crop_docs)]
    links = ", ".join(f"[{page.parent.name}]({page.as_uri()})" for page in docs if page.is_file())
    counts, feedback, rows = summary.counts, summary.feedback, summary.expectations
    parts = [
        f"**{'All expectations hold' if summary.passed else 'The data are not valid'}**: {counts.forms} forms, "
        f"{counts.lines} lines, {counts.writers} writers. Data Docs: {links or 'none'}",
        f"Drift: {summary.drift}. Corrections: {len(feedback.accepted)} accepted, {len(feedback.refused)} refused.",
        "\n".join(f"- {_cell(str(row.wrong))}. Fix: {row.fix}." for row in rows if not row.passed),
        _table(("split", "forms", "lines", "writers"), [_split(*item) for item in summary.splits.items()]),
        _table(("", "suite", "expectation", "failing rows"), [_expectation(row) for row in rows]),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _split(name: str, counts: SplitCounts) -> Sequence[str]:
    return name, str(counts.forms), str(counts.lines), str(counts.writers)


def _expectation(row: Expectation) -> Sequence[str]:
    return "✓" if row.passed else "✗", row.suite, row.name, f"{row.failed} of {row.rows}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(_cell(value) for value in line) + " |" for line in lines)


def _cell(value: str) -> str:
    return value.replace("|", "\\|").replace("\n", " ")


def _ingest_and_report() -> None:
    ingest()
    print(f"\ndata packed in {LAYOUT.processed}; Data Docs: {LAYOUT.data_docs / 'index.html'}\n", flush=True)


def main() -> NoReturn:
    """Run the flow and exit with its status."""
    sys.exit(in_own_session(partial(run_flow, "ingest", _ingest_and_report)))


if __name__ == "__main__":
    main()
