"""Slices: the CER over parts of the test pages, each with its size and interval. Also the length outliers."""

import string
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal

from text_recognizer.core.metrics import Edits, bootstrap_interval, error_rate
from text_recognizer.core.params import EvaluateSection
from text_recognizer.core.schemas import LengthOutlier, Slice
from text_recognizer.evaluation.scoring import PageScore

CLASSES = {
    "digits": string.digits,
    "capitals": string.ascii_uppercase,
    "small letters": string.ascii_lowercase,
    "punctuation": string.punctuation,
}
# The edges are fixed, so that two models, or two corpora, have the same slices.
LINES = ((1, "1 line"), (2, "2 lines"), (3, "3 lines"), (6, "4 to 6 lines"), (9, "7 to 9 lines"))
LENGTHS = ((50, "up to 50 characters"), (150, "51 to 150 characters"), (300, "151 to 300 characters"))
INK = ((0.03, "thin ink"), (0.05, "medium ink"))  # share of dark pixels around the text
MAX_UPRIGHT = 5  # degrees; strokes that lean by more are slanted
UNCOUNTED = "uncounted source"  # what slices are by whose pages the gate does not judge
# A transcription with more, or fewer, characters per reference character than this is a length outlier.
MAX_LENGTH_RATIO, MIN_LENGTH_RATIO = 1.5, 0.6
Row = tuple[PageScore, Edits]


def score_slices(pages: Sequence[PageScore], section: EvaluateSection) -> tuple[Slice, ...]:
    """Return the slices by kind of character, by number of lines, by length, by ink, by slant and by source.

    Slices by character count the characters of a kind that were not read as what they are; insertions belong to none.
    """
    groups: dict[tuple[str, str], list[Row]] = {}
    for page in pages:
        for by, name in _traits(page):
            groups.setdefault((by, name), []).append((page, page.characters))
        for name, edits in _edits_by_class(page):
            groups.setdefault(("character", name), []).append((page, edits))
    return tuple(_slice(by, name, rows, section) for (by, name), rows in sorted(groups.items()) if _length(rows))


def uncounted_slices(pages: Sequence[PageScore], section: EvaluateSection) -> tuple[Slice, ...]:
    """Return a slice for each source of pages that the gate does not judge."""
    groups: dict[str, list[Row]] = {}
    for page in pages:
        groups.setdefault(page.source, []).append((page, page.characters))
    rows = ((name, group) for name, group in sorted(groups.items()) if _length(group))
    return tuple(_slice(UNCOUNTED, _source_name(name), group, section) for name, group in rows)


def _source_name(name: str) -> str:
    return f"source {name}"


def _slice(by: str, name: str, rows: Sequence[Row], section: EvaluateSection) -> Slice:
    writers, edits = [page.writer for page, _ in rows], [one for _, one in rows]
    interval = None
    if len(set(writers)) > 1:
        interval = bootstrap_interval(edits, writers, section.resamples, section.level, section.seed)
    return Slice(
        by=by,
        name=name,
        pages=len(rows),
        writers=len(set(writers)),
        characters=_length(rows),
        cer=error_rate(edits),
        interval=interval,
    )


def _length(rows: Sequence[Row]) -> int:
    return sum(edits.length for _, edits in rows)


def _traits(page: PageScore) -> Iterator[tuple[str, str]]:
    """Yield the slices of the page by its text and by its picture, as pairs of what they are by and their name."""
    yield "lines", _bucket(page.reference.count("\n") + 1, LINES, "10 lines or more")
    yield "length", _bucket(page.characters.length, LENGTHS, "over 300 characters")
    if page.source:
        yield "source", _source_name(page.source)
    if page.slant is not None:
        yield "ink", _bucket(page.ink, INK, "heavy ink")
        yield "slant", _slant_name(page.slant)


def _slant_name(degrees: float) -> str:
    if abs(degrees) <= MAX_UPRIGHT:
        return "upright"
    return "leaning right" if degrees > 0 else "leaning left"


def _bucket(value: float, edges: Sequence[tuple[float, str]], rest: str) -> str:
    return next((name for edge, name in edges if value <= edge), rest)


def _edits_by_class(page: PageScore) -> Iterator[tuple[str, Edits]]:
    """Return for each class of characters on the page how many there are, and how many of them were misread."""
    present: Counter[str] = Counter()
    misread: Counter[str] = Counter()
    for span in page.spans:
        kinds = Counter(_class_of(character) for character in span.reference)
        present.update(kinds)
        if span.kind != "equal":
            misread.update(kinds)
    return ((name, Edits(misread[name], present[name])) for name in CLASSES if present[name])


def _class_of(character: str) -> str:
    return next((name for name, members in CLASSES.items() if character in members), "")


def find_length_outliers(pages: Sequence[PageScore]) -> tuple[LengthOutlier, ...]:
    """Return the pages whose transcription is far longer or shorter than its reference, the highest CER first."""
    outliers = []
    for page in pages:
        ratio = page.length_ratio
        if ratio is not None and not MIN_LENGTH_RATIO <= ratio <= MAX_LENGTH_RATIO:
            kind: Literal["loop", "early stop"] = "loop" if ratio > MAX_LENGTH_RATIO else "early stop"
            outliers.append(LengthOutlier(id=page.id, kind=kind, length_ratio=ratio, cer=page.cer))
    return tuple(sorted(outliers, key=lambda row: (-row.cer, row.id)))
