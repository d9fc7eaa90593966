"""Compute character and word error rates over a corpus, and their bootstrap intervals over writers.

The CER is the number of edits over the number of reference characters, both summed over the corpus, case-sensitive.
The WER is the same over words, which are split at white space. An edit is an insertion, a deletion or a substitution
(Levenshtein 1966).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, cast

import numpy as np
from rapidfuzz.distance import Levenshtein

from text_recognizer.core.errors import DataError

Kind = Literal["equal", "replace", "insert", "delete"]
# Groups drawn at once, so that a million resamples of many writers need only some tens of megabytes.
MAX_DRAWS = 1 << 21


@dataclass(frozen=True)
class Edits:
    """The edits from a reference, and the length of the reference in the same unit (characters or words)."""

    edits: int
    length: int


@dataclass(frozen=True)
class Span:
    """A run of equal or edited characters. A 'replace' has equally many characters on both sides."""

    kind: Kind
    reference: str
    hypothesis: str

    @property
    def edits(self) -> int:
        """The number of edits in the span."""
        return 0 if self.kind == "equal" else max(len(self.reference), len(self.hypothesis))


def character_edits(reference: str, hypothesis: str) -> Edits:
    """Count the edits between two texts in characters (code points)."""
    return Edits(Levenshtein.distance(reference, hypothesis), len(reference))


def word_edits(reference: str, hypothesis: str) -> Edits:
    """Count the edits between two texts in words."""
    return Edits(Levenshtein.distance(reference.split(), hypothesis.split()), len(reference.split()))


def align(reference: str, hypothesis: str) -> list[Span]:
    """Return an alignment with the fewest edits, in order. The spans of each side join to its text."""
    spans = []
    for step in Levenshtein.opcodes(reference, hypothesis):
        true, read = reference[step.src_start : step.src_end], hypothesis[step.dest_start : step.dest_end]
        spans.append(Span(cast(Kind, step.tag), true, read))
    return spans


def error_rate(rows: Sequence[Edits]) -> float:
    """Return the sum of edits over the sum of lengths. Raises DataError if the lengths sum to 0."""
    length = sum(row.length for row in rows)
    if not length:
        raise DataError("an error rate needs at least one reference character", "give pages that have text")
    return sum(row.edits for row in rows) / length


def bootstrap_interval(
    rows: Sequence[Edits], groups: Sequence[str], resamples: int, level: float, seed: int
) -> tuple[float, float]:
    """Return the percentile bootstrap interval of the error rate, with whole groups (writers) resampled.

    The errors on pages of one writer are correlated, so resampling pages would give too narrow an interval (Efron and
    Tibshirani 1993). Raises DataError if there are no rows.
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
    """The error rate of a challenger minus that of a champion. Below 0 the challenger is better.

    `low` and `high` are one-sided bounds: with confidence `level` the difference lies below `high`, and with the same
    confidence above `low`.
    """

    value: float
    low: float
    high: float


def paired_difference(
    challenger: Sequence[Edits], champion: Sequence[Edits], resamples: int, level: float, seed: int
) -> Difference:
    """Return the difference of two error rates on the same groups (writers), with one-sided bootstrap bounds.

    Each resample takes the same groups of both, so that the difficulty of a writer cancels out (Efron and Tibshirani
    1993). Raises DataError if the lengths differ, or are all 0.
    """
    lengths = [[row.length for row in rows] for rows in (challenger, champion)]
    if lengths[0] != lengths[1] or not sum(lengths[0]):
        raise DataError("two error rates over different texts cannot be compared", "score both on the same pages")
    table = np.array([[a.edits, b.edits, a.length] for a, b in zip(challenger, champion, strict=True)], dtype=np.int64)
    differences = _resampled(
        np.stack([table[:, 0] - table[:, 1], table[:, 2]], axis=1), resamples, np.random.default_rng(seed)
    )
    low, high = np.quantile(differences, [1 - level, level])
    return Difference(error_rate(challenger) - error_rate(champion), float(low), float(high))


def _resampled(table: np.ndarray, resamples: int, generator: np.random.Generator) -> np.ndarray:
    """Return the error rates (resamples,) of resampled rows of `table` (groups, 2), which holds edits and lengths."""
    size = max(1, MAX_DRAWS // len(table))
    parts = []
    for start in range(0, resamples, size):
        draws = generator.integers(0, len(table), size=(min(size, resamples - start), len(table)))
        sums = table[draws].sum(axis=1)
        parts.append(sums[:, 0] / np.maximum(sums[:, 1], 1))
    return np.concatenate(parts)
