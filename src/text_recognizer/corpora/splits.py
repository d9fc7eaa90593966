"""Find writers who occur in two parts of a split. A score on such a split is too optimistic."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from text_recognizer.corpora.iam import IamArchive


@dataclass(frozen=True)
class WriterLeak:
    """A writer, and the ids of their forms in each part that has any; there are at least two such parts."""

    writer: str
    parts: dict[str, tuple[str, ...]]

    def __str__(self) -> str:
        return f"writer {self.writer}: " + "; ".join(f"{part} {', '.join(ids)}" for part, ids in self.parts.items())


def writer_leaks(iam: IamArchive, split: str, exclude: Collection[str] = ()) -> list[WriterLeak]:
    """Return every writer in more than one part of the split, sorted. Forms without a writer are ignored."""
    forms: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for part, ids in iam.splits(split).items():
        for form_id in ids:
            if form_id not in exclude and (writer := iam.writer(form_id)):
                forms[writer][part].append(form_id)
    return [
        WriterLeak(writer, {part: tuple(ids) for part, ids in parts.items()})
        for writer, parts in sorted(forms.items())
        if len(parts) > 1
    ]


def report_leaks(archive: Path, split: str, exclude: Collection[str] = ()) -> str:
    """Return a report: the number of writers that occur in two parts, then one line for each."""
    with IamArchive(archive) as iam:
        leaks = writer_leaks(iam, split, exclude)
    if not leaks:
        return f"{split}: no writer occurs in two parts"
    shared = "test" if any("test" in leak.parts for leak in leaks) else "validation"
    head = f"{split}: {len(leaks)} of its writers occur in two parts, so a score on {shared} is too optimistic"
    return "\n".join([head, *(f"  {leak}" for leak in leaks)])
