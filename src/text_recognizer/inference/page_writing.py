"""Decide which lines of a page are writing, from all that is known of its lines, and whether it has any writing."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from text_recognizer.inference.line_kind import PRINTED, WRITTEN

# If less than MIN_WRITTEN_SHARE of the text on a page is writing, by its length, a line must be written this surely.
MIN_WRITTEN_SHARE, MIN_WRITTEN_AMONG_PRINT = 0.5, 0.8
# Pixels of a strip of writing that every page is taken to have besides: people bring writing, and one short word that
# is hardly more likely printed than written does not make a page of print.
EXPECTED_WRITING = 100
# The evidence that a line is writing is the product of its probability of being writing and of its confidence. A line
# with less than MIN_EVIDENCE is left out. A page has writing if one line has CLEAR_EVIDENCE at every slant, or if lines
# with LIKELY_EVIDENCE as they stand have LIKELY_CHARACTERS together: a whole page of writing may lean as print does.
MIN_EVIDENCE, CLEAR_EVIDENCE = 0.15, 0.35
LIKELY_EVIDENCE, LIKELY_CHARACTERS = 0.6, 100
# The median similarity of a line's equal letters above which it resembles print, the pairs that this takes, and by how
# much the log-odds of writing fall per unit above. docs/line-kinds.md says how these numbers were chosen.
ALIKE, MIN_PAIRS, ALIKE_WEIGHT = 0.85, 5, 30.0


@dataclass(frozen=True)
class LineKinds:
    """The kind (N,) of each line, WRITTEN, PRINTED or NONE, and the probability (N,) that it is written.

    `surely` (N,) is that probability at the slant at which the line is least likely written.
    """

    kinds: np.ndarray
    written: np.ndarray
    surely: np.ndarray

    @classmethod
    def of(
        cls, probabilities: np.ndarray, least: np.ndarray, strips: Sequence[np.ndarray], min_written: float
    ) -> "LineKinds":
        """Decide from the probabilities (N, 3) as a line stands, and at the slant at which it is least written.

        Among print, a line must be written at every slant, and with more certainty.
        """
        written, lengths = probabilities[:, WRITTEN], np.array([strip.shape[1] for strip in strips])
        share = (float(written @ lengths) + EXPECTED_WRITING) / (int(lengths.sum()) + EXPECTED_WRITING)
        surely = np.minimum(written, least[:, WRITTEN])
        is_written = written >= min_written if share >= MIN_WRITTEN_SHARE else surely >= MIN_WRITTEN_AMONG_PRINT
        return cls(np.where(is_written, WRITTEN, 1 + probabilities[:, 1:].argmax(axis=1)), written, surely)


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


@dataclass(frozen=True)
class WrittenText:
    """The text of a line taken for writing, and the evidence for it: as it stands, and at its least written slant."""

    text: str
    evidence: float
    surely: float


def shows_writing(lines: Sequence[WrittenText]) -> bool:
    """Return whether lines show that a page has writing. Lines without a letter or a digit do not count."""
    texts = [line for line in lines if any(map(str.isalnum, line.text))]
    likely = sum(len(line.text) for line in texts if line.evidence >= LIKELY_EVIDENCE)
    return likely >= LIKELY_CHARACTERS or any(line.surely >= CLEAR_EVIDENCE for line in texts)
