"""What was read for what: every mistake by character, and how often it was made."""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields

from text_recognizer.evaluation.score import PageScore


@dataclass(frozen=True)
class Confusion:
    """A mistake and how often it was made; `true` is empty for an inserted character, `read` for a missing one."""

    true: str
    read: str
    count: int


def confusions(pages: Sequence[PageScore]) -> list[Confusion]:
    """Every mistake that the CER counts, newlines as spaces, the most frequent first; together they are its edits."""
    counts: Counter[tuple[str, str]] = Counter()
    for span in (span for page in pages for span in page.spans):
        if span.kind == "replace":
            counts.update(zip(span.reference, span.hypothesis, strict=True))
        elif span.kind == "delete":
            counts.update((character, "") for character in span.reference)
        elif span.kind == "insert":
            counts.update(("", character) for character in span.hypothesis)
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [Confusion(true, read, count) for (true, read), count in ranked]


def as_csv(found: Sequence[Confusion]) -> str:
    """The table as CSV. Characters are quoted, so that a space is told from nothing."""
    stream = io.StringIO()
    writer = csv.writer(stream, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow([field.name for field in fields(Confusion)])
    writer.writerows(astuple(one) for one in found)
    return stream.getvalue()
