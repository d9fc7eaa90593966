"""What a run of the pipeline came to, read from its reports: for the terminal and for Prefect."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from text_recognizer import paths
from text_recognizer.data.iam import SPLITS
from text_recognizer.errors import DataError
from text_recognizer.files import read_table

SERVE = "make serve"
AGAIN = "run the whole pipeline: `make demo`", "run `dvc repro`"
Row = tuple[str, str]


def rejection(project: Path) -> str:
    """Why the gate rejected the model, one rule a line; empty where it passed. Raises DataError without a verdict."""
    verdict = read_table(project / paths.VERDICT, *AGAIN)
    if verdict.get("passed") is True:
        return ""
    failed = [f"  {rule['name']}: {rule['reason']}" for rule in verdict["rules"] if not rule["passed"]]
    return "\n".join(failed) or "  the verdict names no rule"


def summarise(project: Path) -> list[Row]:
    """What was made, how well it reads, and where it lies, as rows of a name and a value. Raises DataError."""
    score, verdict = read_table(project / paths.SCORE, *AGAIN), read_table(project / paths.VERDICT, *AGAIN)
    try:
        limits = {rule["name"]: rule["limit"] for rule in verdict["rules"]}
        low, high = score["cer_interval"]
        return [
            ("data", _counts(read_table(project / paths.VALIDATION, *AGAIN))),
            ("test CER", f"{score['cer']:.2%} ({low:.2%} to {high:.2%}), limit {_percent(limits.get('cer'))}"),
            ("test WER", f"{score['wer']:.2%}, limit {_percent(limits.get('wer'))}"),
            ("tested on", f"{score['pages']} pages, {score['characters']} characters"),
            *_doubt(score),
            ("verdict", "accepted" if verdict["passed"] is True else "rejected"),
            ("Data Docs", str(paths.DATA_DOCS / "index.html")),
            ("report", str(paths.REPORT)),
            *_served(project, verdict["passed"] is True),
        ]
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"a report in {project / paths.SCORE.parent} lacks or spoils {error}", "run `dvc repro --force gate`"
        ) from None


def plain(rows: Sequence[Row]) -> str:
    """Two columns for a terminal."""
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)


def markdown(rows: Sequence[Row]) -> str:
    body = "\n".join(f"| {name} | {_cell(value)} |" for name, value in rows)
    return f"| | |\n|---|---|\n{body}\n"


def _doubt(score: dict[str, Any]) -> list[Row]:
    """What its confidences are good for, and its weakest part; nothing of a score that has neither."""
    chosen = (score.get("calibration") or {}).get("at_budget")
    slices = [row for row in score.get("slices") or [] if row["by"] != "character"]
    rows = []
    if chosen:
        rows.append(
            ("doubt", f"re-reading {chosen['share']:.0%} of the words finds {chosen['found']:.0%} of the wrong")
        )
    if slices:
        worst = max(slices, key=lambda row: row["cer"])
        rows.append(("worst slice", f"{worst['name']}: {worst['cer']:.2%} on {worst['pages']} pages"))
    return rows


def _served(project: Path, accepted: bool) -> list[Row]:
    if accepted:
        return [("bento", str(paths.BENTO)), ("serve it", SERVE)]
    older = (project / paths.BENTO).is_dir()
    return [("bento", f"{paths.BENTO} is still the last accepted model's" if older else "none: the model was rejected")]


def _counts(validation: dict[str, Any]) -> str:
    counts, splits = validation["counts"], validation["splits"]
    parts = ", ".join(f"{splits[split]['forms']} {split}" for split in SPLITS if split in splits)
    return f"{counts['forms']} forms ({parts}), {counts['lines']} lines, {counts['writers']} writers"


def _percent(limit: float | None) -> str:
    return "none" if limit is None else f"{limit:.2%}"


def _cell(value: str) -> str:
    return value.replace("|", "\\|").replace("\n", "<br>")
