"""Bound the harm that the language model does where a line holds no language: codes, made-up words, foreign names.

Shallow fusion replaces what the network reads by what the language model expects. That helps on sentences, on single
words and on words in any order. On words that do not exist it replaces right characters by wrong ones. So the weight of
the language model is lowered on lines that do not fit it.

The fit of a line is a log-likelihood ratio for each character: the log-probability that the language model gives to the
network's own reading, less the log-probability that the network gives to it. A reading that the network doubts is
likely misread, which explains a low probability in the language model; then the weight stays high.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from text_recognizer.inference.alignment import greedy_text
from text_recognizer.inference.language_model import SPACE, NGram

# Chosen on validation lines of IAM and of students' pages, and on lines that were composed of their words and of halves
# of their words. docs/experiments-log.md has the figures.
FULL_FIT = -2.3  # nats a character; at this fit and above it the language model has its whole weight
NO_FIT = -2.9  # nats a character; at this fit and below it the weight is the least one
# A short line says little about its language: so many characters that fit as well as usual are added to each line.
PRIOR_CHARACTERS, PRIOR_FIT = 20, -1.9


@dataclass(frozen=True)
class LineFit:
    """The best path of a line: its characters, and its log-probability in the language model and in the network."""

    characters: int
    language: float
    network: float

    @property
    def fit(self) -> float:
        """How well the line fits the language model, in nats a character."""
        known = self.language - self.network + PRIOR_CHARACTERS * PRIOR_FIT
        return known / (self.characters + PRIOR_CHARACTERS)

    def share(self, min_share: float) -> float:
        """Return the share of its weight, from `min_share` to 1, that the language model has on the line."""
        between = (self.fit - NO_FIT) / (FULL_FIT - NO_FIT)
        return min_share + (1 - min_share) * min(max(between, 0.0), 1.0)


def language_shares(ngram: NGram, scores: Sequence[np.ndarray], min_share: float) -> list[float]:
    """Return the share (L,) of its weight that the language model has on each line, for log-probabilities (w, C).

    The insertion bonus has the same share, because it makes up for the language model's dislike of long texts.
    """
    if min_share == 1:
        return [1.0] * len(scores)
    return [line_fit(ngram, line).share(min_share) for line in scores]


def line_fit(ngram: NGram, scores: np.ndarray) -> LineFit:
    """Return how well the best path of a line, log-probabilities (w, C), fits the language model."""
    text = greedy_text(scores)
    language = ngram.next_characters.log_probabilities_along((SPACE,), text)
    return LineFit(len(text), float(language.sum()), float(scores.max(axis=1).sum()))
