"""CTC prefix beam search with an n-gram, and where on the line the characters of its answer stand."""

import heapq
import math
from dataclasses import dataclass

import numpy as np

from text_recognizer.inference.language import NGram
from text_recognizer.text import BLANK_ID, SPECIAL

LEAST = -9.0  # a character less likely than this, in logarithms, is not tried in its column
MARGIN = 12.0  # a prefix less likely by more than this than the best, in logarithms, is given up
NEVER = -math.inf


@dataclass(frozen=True)
class Speller:
    """How much the n-gram has a say: its log-probabilities times `weight`, and `bonus` for every character."""

    ngram: NGram
    weight: float
    bonus: float
    width: int

    def spell(self, scores: np.ndarray, context: tuple[int, ...]) -> tuple[int, ...]:
        """The ids that fit a line's log-probabilities (w, C) and the language best, after those of `context`.

        Prefix beam search as by Hannun et al. ("First-pass large vocabulary continuous speech recognition using
        bi-directional recurrent DNNs", 2014), on characters.
        """
        beams: dict[tuple[int, ...], _Beam] = {(): _Beam(0.0, NEVER, 0.0, 0.0)}
        for column in scores.astype(np.float64):
            likely = [int(index) for index in np.flatnonzero(column > LEAST) if index >= len(SPECIAL)]
            beams = self._step(beams, column.tolist(), likely, context)
        return max(beams, key=lambda prefix: beams[prefix].credit)

    def weighed(self, scores: np.ndarray, path: np.ndarray, context: tuple[int, ...]) -> np.ndarray:
        """The log-probabilities (w, C), up to a constant a column, once the n-gram has had its say along a path (w,).

        In the columns of a character, each other one gains or loses by how much likelier the n-gram finds it there. So
        a character that the n-gram has decided is as sure as the two together are of it.
        """
        out = scores.astype(np.float64)
        edges = np.flatnonzero(np.diff(path)) + 1
        for start, stop in zip(np.r_[0, edges], np.r_[edges, len(path)], strict=True):
            chosen = int(path[start])
            if chosen != BLANK_ID:
                follows = self.ngram.after(context)
                gains = np.array([follows.log(index) for index in range(len(SPECIAL), out.shape[1])])
                out[start:stop, len(SPECIAL) :] += self.weight * (gains - follows.log(chosen))
                context = (*context, chosen)
        return out

    def _step(
        self, beams: dict[tuple[int, ...], "_Beam"], column: list[float], likely: list[int], context: tuple[int, ...]
    ) -> dict[tuple[int, ...], "_Beam"]:
        grown: dict[tuple[int, ...], _Beam] = {}
        for prefix, beam in beams.items():
            kept = grown.setdefault(prefix, _Beam(NEVER, NEVER, beam.language))
            kept.blank = _add(kept.blank, beam.total + column[BLANK_ID])
            last = prefix[-1] if prefix else BLANK_ID
            if prefix:
                kept.character = _add(kept.character, beam.character + column[last])
            if not likely:
                continue
            follows = self.ngram.after((*context, *prefix))
            for index in likely:
                # A repeat is a new character only after a blank.
                before = beam.blank if index == last else beam.total
                if before == NEVER:
                    continue
                language = beam.language + self.weight * follows.log(index) + self.bonus
                longer = grown.setdefault((*prefix, index), _Beam(NEVER, NEVER, language))
                longer.character = _add(longer.character, before + column[index])
        for beam in grown.values():
            beam.total = _add(beam.blank, beam.character)
        least = max(beam.credit for beam in grown.values()) - MARGIN
        close = [(prefix, beam) for prefix, beam in grown.items() if beam.credit >= least]
        if len(close) <= self.width:
            return dict(close)
        return dict(heapq.nlargest(self.width, close, key=lambda found: found[1].credit))


@dataclass(slots=True)
class _Beam:
    """Log-probabilities of all paths to a prefix, that end in a blank or in its last character; what language adds."""

    blank: float
    character: float
    language: float
    total: float = NEVER

    @property
    def credit(self) -> float:
        return self.total + self.language


def _add(left: float, right: float) -> float:
    """The logarithm of a sum."""
    if left < right:
        left, right = right, left
    return left if right == NEVER else left + math.log1p(math.exp(right - left))


def align(scores: np.ndarray, ids: tuple[int, ...]) -> np.ndarray:
    """The most likely CTC path (w,) that spells `ids`, by the Viterbi algorithm; `scores` (w, C) are log-probabilities.

    `ids` must fit: at least as many columns as `text.ctc_columns` asks for.
    """
    states = np.full(2 * len(ids) + 1, BLANK_ID)
    states[1::2] = ids
    # A blank between two characters may be skipped where they differ.
    skips = np.zeros(len(states), dtype=bool)
    skips[3::2] = states[3::2] != states[1:-2:2]
    best = np.full(len(states), NEVER)
    best[:2] = scores[0, states[:2]]
    moves = np.zeros((len(scores), len(states)), dtype=np.int8)
    for column in range(1, len(scores)):
        options = np.full((3, len(states)), NEVER)
        options[0] = best
        options[1, 1:] = best[:-1]
        options[2, 2:] = np.where(skips[2:], best[:-2], NEVER)
        moves[column] = options.argmax(axis=0)
        best = options.max(axis=0) + scores[column, states]
    state = len(states) - 1 if len(states) == 1 or best[-1] >= best[-2] else len(states) - 2
    path = np.empty(len(scores), dtype=np.int64)
    for column in range(len(scores) - 1, -1, -1):
        path[column] = states[state]
        state -= int(moves[column, state])
    return path
