"""The `ingest` flow: data in, checked and packed, and an artifact that shows what was found. It trains nothing.

`python -m flows.ingest` runs it here and now; `prefect.yaml` deploys it.
"""

import json
import sys
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from prefect import flow
from prefect.artifacts import create_markdown_artifact

from flows.entry import status_of
from flows.logs import plain_failures
from flows.process import apart
from flows.retrain import bring_up_to_date
from flows.stages import StageError
from text_recognizer import paths

STAGES = ("fetch", "validate", "preprocess")


@flow(name="ingest", description="Brings the data in, checks them, packs them, and shows what was found.")
def ingest(project: Path = Path()) -> None:
    """Raises StageError where a stage fails; later stages are not run then. `project` is the folder of a clone."""
    plain_failures()
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
    """Keeps what the last validation found as an artifact of the run, where there was one."""
    try:
        summary = json.loads((project / paths.VALIDATION).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    create_markdown_artifact(
        markdown(summary, project), key="ingest", description="What is in the data, and what is not"
    )


def markdown(summary: dict[str, Any], project: Path) -> str:
    """The verdict, a link to the Data Docs, the counts, what is at fault, and every expectation."""
    rows = summary["expectations"]
    counts = summary["counts"]
    docs = [project / folder / "index.html" for folder in (paths.DATA_DOCS, paths.CROP_DOCS)]
    links = ", ".join(f"[{place.parent.name}]({place.as_uri()})" for place in docs if place.is_file())
    feedback = summary["feedback"]
    said = [
        f"**{'All expectations hold' if summary['passed'] else 'The data are not valid'}**: {counts['forms']} forms, "
        f"{counts['lines']} lines, {counts['writers']} writers. Data Docs: {links or 'none'}",
        f"Drift: {summary['drift']}. Corrections: {len(feedback['accepted'])} to learn from, "
        f"{len(feedback['refused'])} refused.",
        "\n".join(f"- {_cell(str(row['wrong']))}. Fix: {row['fix']}." for row in rows if not row["passed"]),
        _table(("split", "forms", "lines", "writers"), [_split(*item) for item in summary["splits"].items()]),
        _table(("", "suite", "expectation", "failing rows"), [_expectation(row) for row in rows]),
    ]
    return "\n\n".join(part for part in said if part) + "\n"


def _split(name: str, row: dict[str, int]) -> tuple[str, ...]:
    return name, str(row["forms"]), str(row["lines"]), str(row["writers"])


def _expectation(row: dict[str, Any]) -> tuple[str, ...]:
    return "✓" if row["passed"] else "✗", row["suite"], row["name"], f"{row['failed']} of {row['rows']}"


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(_cell(value) for value in line) + " |" for line in lines)


def _cell(value: str) -> str:
    return value.replace("|", "\\|").replace("\n", " ")


def _said() -> None:
    ingest()
    print(f"\ndata packed in {paths.PROCESSED}; Data Docs: {paths.DATA_DOCS / 'index.html'}\n", flush=True)


def main() -> NoReturn:
    """Runs the flow and exits with `entry.status_of` it."""
    sys.exit(apart(partial(status_of, "ingest", _said)))


if __name__ == "__main__":
    main()
