"""Whether a writer stands in two parts of a split, whose score then flatters."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from text_recognizer.data.iam import IamArchive


@dataclass(frozen=True)
class Leak:
    """A writer, and the ids of their forms in each of the parts that they stand in: two at least."""

    writer: str
    parts: dict[str, tuple[str, ...]]

    def __str__(self) -> str:
        return f"writer {self.writer}: " + "; ".join(f"{part} {', '.join(ids)}" for part, ids in self.parts.items())


def writer_leaks(iam: IamArchive, split: str, exclude: Collection[str] = ()) -> list[Leak]:
    """Every writer in more than one part of the split, by name. Forms whose labels name no writer are passed over."""
    forms: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for part, ids in iam.splits(split).items():
        for form_id in ids:
            if form_id not in exclude and (writer := iam.writer(form_id)):
                forms[writer][part].append(form_id)
    return [
        Leak(writer, {part: tuple(ids) for part, ids in parts.items()})
        for writer, parts in sorted(forms.items())
        if len(parts) > 1
    ]


def report_leaks(archive: Path, split: str, exclude: Collection[str] = ()) -> str:
    """What leaks, one writer a line below the count; that nothing does, where nothing does."""
    with IamArchive(archive) as iam:
        leaks = writer_leaks(iam, split, exclude)
    if not leaks:
        return f"{split}: no writer is in two parts"
    shared = "test" if any("test" in leak.parts for leak in leaks) else "validation"
    head = f"{split}: in two parts: {len(leaks)} of its writers, so a score on {shared} flatters"
    return "\n".join([head, *(f"  {leak}" for leak in leaks)])
