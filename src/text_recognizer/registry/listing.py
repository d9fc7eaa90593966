"""The registry as people see it: every version, what it was made of, how it did, and which one is in service."""

from pathlib import Path
from typing import Any

from text_recognizer.config import PromoteSection
from text_recognizer.registry.ledger import Entry
from text_recognizer.registry.promote import opened

HEAD = ("version", "registered", "commit", "test pages", "CER", "interval", "verdict", "in service")


def listed(project: Path, section: PromoteSection) -> list[dict[str, Any]]:
    """Every version, newest first, as a row of HEAD's columns, with `model`, `history` and who did what in it."""
    with opened(project, section) as (_, ledger):
        versions, assignments = ledger.versions(), ledger.assignments()
    current = assignments[-1].version if assignments else None
    return [
        _row(version, [one for one in assignments if one.version == version.version], current)
        for version in reversed(versions)
    ]


def _row(version: Entry, served: list[Entry], current: str | None) -> dict[str, Any]:
    record = version.record
    override = next((one.record["verdict"].get("override") for one in served if one.record.get("verdict")), None)
    verdict = "accepted" if record.get("passed") else "refused"
    return {
        "version": version.version,
        "registered": version.when,
        "commit": version.commit,
        "data": record.get("data"),
        "pages": record.get("pages"),
        "cer": record.get("cer"),
        "cer_interval": record.get("cer_interval"),
        "verdict": f"overridden by {override['by']}" if override else verdict,
        "in_service": version.version == current,
        "model": record.get("model"),
        "history": [
            {"when": one.when, "who": one.who, "kind": one.record.get("kind"), "reason": one.record.get("reason")}
            for one in served
        ],
    }


def table(rows: list[dict[str, Any]]) -> str:
    """The rows for a terminal."""
    if not rows:
        return "no version yet: `text-recognizer promote` makes the first"
    cells = [HEAD, *(_cells(row) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(HEAD))]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in cells)


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    interval = row["cer_interval"] or []
    return (
        row["version"],
        row["registered"][:16].replace("T", " "),
        row["commit"][:8],
        f"{row['pages']} of {str(row['data'])[:8]}",
        "unusable" if row["cer"] is None else f"{row['cer']:.2%}",
        " to ".join(f"{bound:.2%}" for bound in interval) or "unusable",
        row["verdict"],
        "yes" if row["in_service"] else "",
    )
