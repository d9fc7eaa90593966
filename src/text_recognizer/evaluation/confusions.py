"""Confusions: every edit of a character, and how often it was made."""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields

from text_recognizer.evaluation.scoring import PageScore


@dataclass(frozen=True)
class Confusion:
    """An edit and its count. `true` is empty for an inserted character, `read` for a deleted one."""

    true: str
    read: str
    count: int


def count_confusions(pages: Sequence[PageScore]) -> list[Confusion]:
    """Count every edit behind the CER, newlines as spaces, the most frequent first. The counts add up to all edits."""
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
    """Return the table as CSV. Characters are quoted, so that a space differs from nothing."""
    stream = io.StringIO()
    writer = csv.writer(stream, quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writerow([field.name for field in fields(Confusion)])
    writer.writerows(astuple(one) for one in found)
    return stream.getvalue()
