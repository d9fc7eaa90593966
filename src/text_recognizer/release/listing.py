"""List the versions in the registry: the data and CER of each, its verdict, and which one is in service."""

from collections.abc import Sequence
from pathlib import Path

from text_recognizer.core.params import PromoteSection
from text_recognizer.core.schemas import RegistryEntry, RegistryEvent
from text_recognizer.release.ledger import RegistryTag
from text_recognizer.release.promotion import open_registry

HEAD = ("version", "registered", "commit", "test pages", "CER", "interval", "verdict", "in service")


def list_versions(project: Path, section: PromoteSection) -> list[RegistryEntry]:
    """Return every version, newest first. Raises RegistryError if the registry cannot be read."""
    with open_registry(project, section) as (_, ledger):
        versions, assignments = ledger.versions(), ledger.assignments()
    current = assignments[-1].version if assignments else None
    return [
        _entry(version, [tag for tag in assignments if tag.version == version.version], current)
        for version in reversed(versions)
    ]


def table(entries: Sequence[RegistryEntry]) -> str:
    """Return the versions as a table for a terminal."""
    if not entries:
        return "no version yet: `text-recognizer promote` makes the first"
    cells = [HEAD, *(_cells(entry) for entry in entries)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(HEAD))]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in cells)


def _entry(version: RegistryTag, assignments: Sequence[RegistryTag], current: str | None) -> RegistryEntry:
    record = version.record
    verdicts = [tag.record.verdict for tag in assignments if tag.record.verdict]
    override = verdicts[0].override if verdicts else None
    verdict = "accepted" if record.passed else "refused"
    return RegistryEntry(
        version=version.version,
        registered=version.when,
        commit=version.commit,
        data=record.data,
        pages=record.pages,
        cer=record.cer,
        cer_interval=record.cer_interval,
        verdict=f"overridden by {override.by}" if override else verdict,
        in_service=version.version == current,
        model=record.model,
        history=tuple(
            RegistryEvent(when=tag.when, who=tag.who, kind=tag.record.kind, reason=tag.record.reason)
            for tag in assignments
        ),
    )


def _cells(entry: RegistryEntry) -> tuple[str, ...]:
    return (
        entry.version,
        entry.registered[:16].replace("T", " "),
        entry.commit[:8],
        f"{entry.pages} of {str(entry.data)[:8]}",
        "unusable" if entry.cer is None else f"{entry.cer:.2%}",
        " to ".join(f"{bound:.2%}" for bound in entry.cer_interval or ()) or "unusable",
        entry.verdict,
        "yes" if entry.in_service else "",
    )
