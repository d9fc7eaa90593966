"""CTC prefix beam search with an n-gram language model, and the alignment of its result with the columns."""

import heapq
import math
from dataclasses import dataclass

import numpy as np

from text_recognizer.core.charset import BLANK_ID, SPECIAL
from text_recognizer.inference.language_model import NGram

MIN_LOG_PROBABILITY = -9.0  # a character less likely than this is not tried in its column
BEAM_MARGIN = 12.0  # a prefix whose score is lower than the best one by more than this is dropped
IMPOSSIBLE = -math.inf


@dataclass(frozen=True)
class BeamSearchDecoder:
    """A language model, and how shallow fusion weighs it.

    The score of a text is its CTC log-probability, plus `lm_weight` times its log-probability in the language model,
    plus `insertion_bonus` for every character.
    """

    ngram: NGram
    lm_weight: float
    insertion_bonus: float
    beam_width: int

    def decode(self, scores: np.ndarray, context: tuple[int, ...]) -> tuple[int, ...]:
        """Return the ids of the text with the highest score, for a line's log-probabilities (w, C).

        `context` are the ids before the line. Prefix beam search after Hannun et al. 2014 ("First-pass large vocabulary
        continuous speech recognition using bi-directional recurrent DNNs"), on characters.
        """
        beams: dict[tuple[int, ...], _Beam] = {(): _Beam(0.0, IMPOSSIBLE, 0.0, 0.0)}
        for column in scores.astype(np.float64):
            likely = [int(index) for index in np.flatnonzero(column > MIN_LOG_PROBABILITY) if index >= len(SPECIAL)]
            beams = self._pruned(self._extended(beams, column.tolist(), likely, context))
        return max(beams, key=lambda prefix: beams[prefix].score)

    def fuse(self, scores: np.ndarray, path: np.ndarray, context: tuple[int, ...]) -> np.ndarray:
        """Return the log-probabilities (w, C) after shallow fusion with the language model along a CTC path (w,).

        In the columns of a decoded character, the score of every other character changes by `lm_weight` times the
        difference between its log-probability in the language model and that of the decoded character. The results are
        not normalised. The confidence of a decoded character is then that of network and language model together.
        """
        out = scores.astype(np.float64)
        edges = np.flatnonzero(np.diff(path)) + 1
        for start, stop in zip(np.r_[0, edges], np.r_[edges, len(path)], strict=True):
            chosen = int(path[start])
            if chosen != BLANK_ID:
                following = self.ngram.after(context)
                log_probabilities = [following.log_probability(index) for index in range(len(SPECIAL), out.shape[1])]
                gains = np.array(log_probabilities) - following.log_probability(chosen)
                out[start:stop, len(SPECIAL) :] += self.lm_weight * gains
                context = (*context, chosen)
        return out

    def _extended(
        self, beams: dict[tuple[int, ...], "_Beam"], column: list[float], likely: list[int], context: tuple[int, ...]
    ) -> dict[tuple[int, ...], "_Beam"]:
        """Return every prefix, unchanged and extended by each likely character, after one more column."""
        grown: dict[tuple[int, ...], _Beam] = {}
        for prefix, beam in beams.items():
            kept = grown.setdefault(prefix, _Beam(IMPOSSIBLE, IMPOSSIBLE, beam.language))
            kept.blank = _log_add(kept.blank, beam.total + column[BLANK_ID])
            last = prefix[-1] if prefix else BLANK_ID
            if prefix:
                kept.character = _log_add(kept.character, beam.character + column[last])
            if not likely:
                continue
            following = self.ngram.after((*context, *prefix))
            for index in likely:
                # A repeated character is a new one only after a blank.
                before = beam.blank if index == last else beam.total
                if before == IMPOSSIBLE:
                    continue
                fused = beam.language + self.lm_weight * following.log_probability(index) + self.insertion_bonus
                longer = grown.setdefault((*prefix, index), _Beam(IMPOSSIBLE, IMPOSSIBLE, fused))
                longer.character = _log_add(longer.character, before + column[index])
        for beam in grown.values():
            beam.total = _log_add(beam.blank, beam.character)
        return grown

    def _pruned(self, beams: dict[tuple[int, ...], "_Beam"]) -> dict[tuple[int, ...], "_Beam"]:
        """Return the `beam_width` best prefixes, without those that are far below the best."""
        lowest = max(beam.score for beam in beams.values()) - BEAM_MARGIN
        close = [(prefix, beam) for prefix, beam in beams.items() if beam.score >= lowest]
        if len(close) <= self.beam_width:
            return dict(close)
        return dict(heapq.nlargest(self.beam_width, close, key=lambda found: found[1].score))


@dataclass(slots=True)
class _Beam:
    """A prefix: the log-probability of its paths that end in a blank, and of those that end in its last character.

    `language` is what the language model and the insertion bonus add; `total` is the sum over all paths.
    """

    blank: float
    character: float
    language: float
    total: float = IMPOSSIBLE

    @property
    def score(self) -> float:
        return self.total + self.language


def _log_add(left: float, right: float) -> float:
    """Return log(exp(left) + exp(right))."""
    if left < right:
        left, right = right, left
    return left if right == IMPOSSIBLE else left + math.log1p(math.exp(right - left))


def align(scores: np.ndarray, ids: tuple[int, ...]) -> np.ndarray:
    """Return the most likely CTC path (w,) that emits `ids`, by the Viterbi algorithm.

    `scores` (w, C) are log-probabilities, with at least as many columns as `charset.min_ctc_steps` asks for.
    """
    states = np.full(2 * len(ids) + 1, BLANK_ID)
    states[1::2] = ids
    # The blank between two different characters may be skipped.
    skips = np.zeros(len(states), dtype=bool)
    skips[3::2] = states[3::2] != states[1:-2:2]
    best = np.full(len(states), IMPOSSIBLE)
    best[:2] = scores[0, states[:2]]
    moves = np.zeros((len(scores), len(states)), dtype=np.int8)
    for column in range(1, len(scores)):
        options = np.full((3, len(states)), IMPOSSIBLE)
        options[0] = best
        options[1, 1:] = best[:-1]
        options[2, 2:] = np.where(skips[2:], best[:-2], IMPOSSIBLE)
        moves[column] = options.argmax(axis=0)
        best = options.max(axis=0) + scores[column, states]
    state = len(states) - 1 if len(states) == 1 or best[-1] >= best[-2] else len(states) - 2
    path = np.empty(len(scores), dtype=np.int64)
    for column in range(len(scores) - 1, -1, -1):
        path[column] = states[state]
        state -= int(moves[column, state])
    return path
