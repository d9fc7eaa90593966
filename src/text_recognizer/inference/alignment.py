"""The texts of lines and the columns of their log-probabilities: the greedy text, and the alignment of a known one."""

from collections.abc import Sequence

import numpy as np

from text_recognizer.core.charset import BLANK_ID, SPECIAL, collapse


def greedy_text(scores: np.ndarray) -> tuple[int, ...]:
    """Return the ids of the text on the best path of a line, log-probabilities (w, C), without special tokens."""
    return tuple(index for index in collapse(scores.argmax(axis=1).tolist()) if index >= len(SPECIAL))


def align(scores: Sequence[np.ndarray], texts: Sequence[Sequence[int]]) -> list[np.ndarray]:
    """Return the most likely CTC path (w,) of each line that emits its text, by the Viterbi algorithm.

    `scores` (w, C) are the log-probabilities of each line, and `texts` their ids. A line has at least as many columns
    as `charset.min_ctc_steps` asks for. All lines are aligned at once.
    """
    order = sorted(range(len(scores)), key=lambda index: -len(scores[index]))
    paths = [np.zeros(0, dtype=np.int64)] * len(scores)
    if order:
        found = _aligned([scores[index] for index in order], [texts[index] for index in order])
        for index, path in zip(order, found, strict=True):
            paths[index] = path[: len(scores[index])]
    return paths


def _aligned(scores: Sequence[np.ndarray], texts: Sequence[Sequence[int]]) -> np.ndarray:
    """Return the paths (L, w) of lines that are sorted by their lengths, the longest first."""
    states = np.full((len(texts), 2 * max(map(len, texts)) + 1), BLANK_ID)
    emissions = np.zeros((len(scores[0]), *states.shape))
    for index, (line, text) in enumerate(zip(scores, texts, strict=True)):
        states[index, 1 : 2 * len(text) : 2] = text
        emissions[: len(line), index] = line[:, states[index]]
    moves, best = _viterbi(emissions, states, [len(line) for line in scores])
    rows, last = np.arange(len(texts)), np.array([2 * len(text) for text in texts])
    # A path ends in the last character or in the blank after it.
    state = np.where((last > 0) & (best[rows, last] < best[rows, last - 1]), last - 1, last)
    paths = np.empty((len(moves), len(texts)), dtype=np.int64)
    for column in range(len(moves) - 1, -1, -1):
        paths[column] = states[rows, state]
        state -= moves[column, rows, state]
    return paths.T


def _viterbi(emissions: np.ndarray, states: np.ndarray, lengths: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return the number of states (w, L, S) that the best path to each state steps on by, and its score (L, S)."""
    # The blank between two different characters may be skipped.
    skips = np.zeros(states.shape, dtype=bool)
    skips[:, 3::2] = states[:, 3::2] != states[:, 1:-2:2]
    moves = np.zeros(emissions.shape, dtype=np.int8)
    # Two columns that no path comes from stand before the first state.
    best = np.full((len(states), states.shape[1] + 2), -np.inf)
    best[:, 2:4] = emissions[0, :, :2]
    for column in range(1, len(emissions)):
        lines = sum(length > column for length in lengths)
        stay, step = best[:lines, 2:], best[:lines, 1:-1]
        skip = np.where(skips[:lines], best[:lines, :-2], -np.inf)
        nearer = np.maximum(stay, step)
        moves[column, :lines] = np.where(skip > nearer, 2, step > stay)
        best[:lines, 2:] = np.maximum(nearer, skip) + emissions[column, :lines]
    return moves, best[:, 2:]
