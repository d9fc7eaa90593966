"""Decide which lines of a page are writing, from all that is known of its lines, and whether it has any writing."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from text_recognizer.inference.line_kind import PRINTED, WRITTEN

# If less than MIN_WRITTEN_SHARE of the text on a page is writing, by its length, a line must be written this surely.
MIN_WRITTEN_SHARE, MIN_WRITTEN_AMONG_PRINT = 0.5, 0.8
# The evidence that a line is writing is the product of its probability of being writing and of its confidence. A line
# with less than MIN_EVIDENCE is left out. A page on which no line has CLEAR_EVIDENCE has no writing.
MIN_EVIDENCE, CLEAR_EVIDENCE = 0.15, 0.6
# The median similarity of a line's equal letters above which it resembles print, the pairs that this takes, and by how
# much the log-odds of writing fall per unit above. docs/line-kinds.md says how these numbers were chosen.
ALIKE, MIN_PAIRS, ALIKE_WEIGHT = 0.85, 5, 30.0


@dataclass(frozen=True)
class LineKinds:
    """The kind (N,) of each line, WRITTEN, PRINTED or NONE, and the probability (N,) that it is written."""

    kinds: np.ndarray
    written: np.ndarray

    @classmethod
    def of(cls, probabilities: np.ndarray, strips: Sequence[np.ndarray], min_written: float) -> "LineKinds":
        """Decide from the probabilities (N, 3). Among print, a line must be written with more certainty."""
        written, lengths = probabilities[:, WRITTEN], np.array([strip.shape[1] for strip in strips])
        share = float(written @ lengths) / max(1, int(lengths.sum()))
        limit = min_written if share >= MIN_WRITTEN_SHARE else MIN_WRITTEN_AMONG_PRINT
        others = 1 + probabilities[:, 1:].argmax(axis=1)
        return cls(np.where(written >= limit, WRITTEN, others), written)


def with_repetition(probabilities: np.ndarray, similarities: Sequence[np.ndarray]) -> np.ndarray:
    """Return the probabilities (N, 3), moved from written to printed for lines whose equal letters are alike.

    `similarities` holds those of each line, as `letter_repetition.similarities_of` returns them.
    """
    medians = np.array([np.median(own) if len(own) >= MIN_PAIRS else 0.0 for own in similarities])
    factors = np.exp(-ALIKE_WEIGHT * np.maximum(0, medians - ALIKE))
    written = probabilities[:, WRITTEN]
    lowered = written * factors / (written * factors + 1 - written + 1e-9)
    moved = probabilities.copy()
    moved[:, WRITTEN] = np.minimum(written, lowered)
    moved[:, PRINTED] += written - moved[:, WRITTEN]
    return moved


def is_clear(text: str, evidence: float) -> bool:
    """Return whether a line shows that a page has writing: it is clearly written, and has a letter or a digit."""
    return evidence >= CLEAR_EVIDENCE and any(map(str.isalnum, text))
