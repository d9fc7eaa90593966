"""Character and word error rates over a corpus, with bootstrap intervals over writers, and the edits themselves.

CER = edits / reference characters, both summed over the corpus, cased; WER likewise over words split at white space.
An edit is an insertion, a deletion or a substitution (Levenshtein 1966).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast

import numpy as np
from rapidfuzz.distance import Levenshtein

from text_recognizer.errors import DataError

Kind = Literal["equal", "replace", "insert", "delete"]
# Groups drawn at once: keeps a million resamples of many writers within some tens of megabytes.
DRAWS = 1 << 21


@dataclass(frozen=True)
class Edits:
    """Edits against one reference, and the reference's length in the same units (characters or words)."""

    edits: int
    length: int


@dataclass(frozen=True)
class Span:
    """A run of characters of one kind; a 'replace' has equally many of the reference and of the hypothesis."""

    kind: Kind
    reference: str
    hypothesis: str

    @property
    def edits(self) -> int:
        return 0 if self.kind == "equal" else max(len(self.reference), len(self.hypothesis))


def character_edits(reference: str, hypothesis: str) -> Edits:
    return Edits(Levenshtein.distance(reference, hypothesis), len(reference))


def word_edits(reference: str, hypothesis: str) -> Edits:
    return Edits(Levenshtein.distance(reference.split(), hypothesis.split()), len(reference.split()))


def align(reference: str, hypothesis: str) -> list[Span]:
    """The fewest edits from `reference` to `hypothesis`, in order; the sides of the spans join to the two texts."""
    spans = []
    for step in Levenshtein.opcodes(reference, hypothesis):
        true, read = reference[step.src_start : step.src_end], hypothesis[step.dest_start : step.dest_end]
        spans.append(Span(cast(Kind, step.tag), true, read))
    return spans


def error_rate(rows: Sequence[Edits]) -> float:
    """Edits over length, both summed. Raises DataError where there is nothing to divide by."""
    length = sum(row.length for row in rows)
    if not length:
        raise DataError("an error rate needs at least one reference character", "give pages that have text")
    return sum(row.edits for row in rows) / length


def bootstrap_interval(
    rows: Sequence[Edits], groups: Sequence[str], resamples: int, level: float, seed: int
) -> tuple[float, float]:
    """Percentile interval of the error rate when whole groups (writers) are drawn again with replacement.

    Pages of one writer err together, so resampling pages would give too narrow an interval (Efron and Tibshirani 1993).
    Raises DataError where there are no rows.
    """
    totals: dict[str, list[int]] = {}
    for row, group in zip(rows, groups, strict=True):
        total = totals.setdefault(group, [0, 0])
        total[0] += row.edits
        total[1] += row.length
    if not totals:
        raise DataError("an interval needs at least one page", "give pages that have text")
    table = np.array([totals[group] for group in sorted(totals)], dtype=np.int64)
    rates = _resampled(table, resamples, np.random.default_rng(seed))
    low, high = np.quantile(rates, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


@dataclass(frozen=True)
class Difference:
    """A challenger's error rate less a champion's: below 0 the challenger is better.

    With confidence `level` the difference lies below `high`, and with the same confidence above `low`.
    """

    value: float
    low: float
    high: float


def paired_difference(
    challenger: Sequence[Edits], champion: Sequence[Edits], resamples: int, level: float, seed: int
) -> Difference:
    """The difference of two error rates on the same groups (writers), with one-sided bootstrap bounds.

    Each draw takes the same groups of both, so what makes a hand hard for the two alike cancels out (Efron and
    Tibshirani 1993). Raises DataError where the groups are not the same size, or there are none.
    """
    lengths = [[row.length for row in rows] for rows in (challenger, champion)]
    if lengths[0] != lengths[1] or not sum(lengths[0]):
        raise DataError("two error rates over different texts cannot be compared", "score both on the same pages")
    table = np.array([[a.edits, b.edits, a.length] for a, b in zip(challenger, champion, strict=True)], dtype=np.int64)
    gaps = _resampled(
        np.stack([table[:, 0] - table[:, 1], table[:, 2]], axis=1), resamples, np.random.default_rng(seed)
    )
    low, high = np.quantile(gaps, [1 - level, level])
    return Difference(error_rate(challenger) - error_rate(champion), float(low), float(high))


def _resampled(table: np.ndarray, resamples: int, generator: np.random.Generator) -> np.ndarray:
    """Error rates (resamples,) of redrawn rows of `table` (groups, 2), edits and length."""
    size = max(1, DRAWS // len(table))
    parts = []
    for start in range(0, resamples, size):
        draws = generator.integers(0, len(table), size=(min(size, resamples - start), len(table)))
        sums = table[draws].sum(axis=1)
        parts.append(sums[:, 0] / np.maximum(sums[:, 1], 1))
    return np.concatenate(parts)
