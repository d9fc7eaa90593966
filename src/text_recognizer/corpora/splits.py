"""Find writers who occur in two parts of a split. A score on such a split is too optimistic."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from text_recognizer.corpora.iam import SPLITS
from text_recognizer.corpora.page_sources import PageSource, open_sources


@dataclass(frozen=True)
class WriterLeak:
    """A writer, and the ids of their forms in each part that has any; there are at least two such parts."""

    writer: str
    parts: dict[str, tuple[str, ...]]

    def __str__(self) -> str:
        return f"writer {self.writer}: " + "; ".join(f"{part} {', '.join(ids)}" for part, ids in self.parts.items())


def writer_leaks(sources: Sequence[PageSource], exclude: Sequence[str] = ()) -> list[WriterLeak]:
    """Return every writer in more than one part of the sources, sorted. Forms without a writer are ignored."""
    forms: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    with open_sources(sources, exclude) as opened:
        for part in SPLITS:
            for one in opened:
                for form_id in one.parts[part]:
                    if writer := one.iam.writer(form_id):
                        forms[writer][part].append(form_id)
    return [
        WriterLeak(writer, {part: tuple(ids) for part, ids in parts.items()})
        for writer, parts in sorted(forms.items())
        if len(parts) > 1
    ]


def report_leaks(sources: Sequence[PageSource], exclude: Sequence[str] = ()) -> str:
    """Return a report: the number of writers that occur in two parts, then one line for each."""
    leaks = writer_leaks(sources, exclude)
    splits = ", ".join(source.entry.split_name for source in sources)
    if not leaks:
        return f"{splits}: no writer occurs in two parts"
    shared = "test" if any("test" in leak.parts for leak in leaks) else "validation"
    head = f"{splits}: {len(leaks)} of the writers occur in two parts, so a score on {shared} is too optimistic"
    return "\n".join([head, *(f"  {leak}" for leak in leaks)])
