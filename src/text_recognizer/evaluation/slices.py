"""The same figure over parts of the test pages: where a model is weak, how many pages say so, and how surely."""

import string
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from text_recognizer.config import EvaluateSection
from text_recognizer.evaluation.score import PageScore
from text_recognizer.metrics import Edits, bootstrap_interval, error_rate

CLASSES = {
    "digits": string.digits,
    "capitals": string.ascii_uppercase,
    "small letters": string.ascii_lowercase,
    "punctuation": string.punctuation,
}
# Fixed edges, so that two models, or two corpora, have the same slices.
LINES = ((1, "1 line"), (2, "2 lines"), (3, "3 lines"), (6, "4 to 6 lines"), (9, "7 to 9 lines"))
LENGTHS = ((50, "up to 50 characters"), (150, "51 to 150 characters"), (300, "151 to 300 characters"))
INK = ((0.03, "thin ink"), (0.05, "medium ink"))  # share of dark pixels around the text
SLANT = 5  # degrees from upright within which a hand counts as such
# How much longer or shorter than the page a reading is that has run on, or stopped early.
LOOP, STOP = 1.5, 0.6
Row = tuple[PageScore, Edits]


def slices(pages: Sequence[PageScore], section: EvaluateSection) -> list[dict[str, Any]]:
    """A row a slice: `name`, `by`, `pages`, `writers`, `characters`, `cer`, `interval` (None over one writer).

    Slices by character count the misread among the true characters of a class; what was read that is not there belongs
    to none of them.
    """
    groups: dict[tuple[str, str], list[Row]] = {}
    for page in pages:
        for by, name in _traits(page):
            groups.setdefault((by, name), []).append((page, page.characters))
        for name, edits in _classes(page):
            groups.setdefault(("character", name), []).append((page, edits))
    return [_slice(by, name, rows, section) for (by, name), rows in sorted(groups.items()) if _length(rows)]


def _slice(by: str, name: str, rows: Sequence[Row], section: EvaluateSection) -> dict[str, Any]:
    writers, edits = [page.writer for page, _ in rows], [one for _, one in rows]
    interval = None
    if len(set(writers)) > 1:
        interval = list(bootstrap_interval(edits, writers, section.resamples, section.level, section.seed))
    return {
        "name": name,
        "by": by,
        "pages": len(rows),
        "writers": len(set(writers)),
        "characters": _length(rows),
        "cer": error_rate(edits),
        "interval": interval,
    }


def _length(rows: Sequence[Row]) -> int:
    return sum(edits.length for _, edits in rows)


def _traits(page: PageScore) -> Iterator[tuple[str, str]]:
    """What the page is like: by its text, and by its picture."""
    yield "lines", _bucket(page.reference.count("\n") + 1, LINES, "10 lines or more")
    yield "length", _bucket(page.characters.length, LENGTHS, "over 300 characters")
    if page.slant is not None:
        yield "ink", _bucket(page.ink, INK, "heavy ink")
        yield "slant", "leaning right" if page.slant > SLANT else "leaning left" if page.slant < -SLANT else "upright"


def _bucket(value: float, edges: Sequence[tuple[float, str]], rest: str) -> str:
    return next((name for edge, name in edges if value <= edge), rest)


def _classes(page: PageScore) -> Iterator[tuple[str, Edits]]:
    """For each class of characters on the page: how many there are, and how many were not read as what they are."""
    there: Counter[str] = Counter()
    missed: Counter[str] = Counter()
    for span in page.spans:
        kinds = Counter(_class_of(character) for character in span.reference)
        there.update(kinds)
        if span.kind != "equal":
            missed.update(kinds)
    return ((name, Edits(missed[name], there[name])) for name in CLASSES if there[name])


def _class_of(character: str) -> str:
    return next((name for name, members in CLASSES.items() if character in members), "")


def runaways(pages: Sequence[PageScore]) -> list[dict[str, Any]]:
    """Pages whose reading is far longer or shorter than the page: it looped, or stopped early."""
    found = []
    for page in pages:
        ratio = page.length_ratio
        if ratio is not None and not STOP <= ratio <= LOOP:
            kind = "loop" if ratio > LOOP else "early stop"
            found.append({"id": page.id, "kind": kind, "length_ratio": ratio, "cer": page.cer})
    return sorted(found, key=lambda row: (-row["cer"], row["id"]))
