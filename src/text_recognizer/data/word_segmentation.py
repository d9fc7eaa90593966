"""Cut a labelled line into its words: IAM's forms label lines, and recombination needs words.

The gaps between words are the widest ones, and the width of a word is about proportional to its number of characters.
Dynamic programming chooses the gaps that fit both best. If the two disagree, the line is not cut at all: few words are
cut wrong, at the cost of words that are not used.
"""

from dataclasses import dataclass

import numpy as np

DARK = 128  # grey values below it are foreground
LOG_WIDTH_SIGMA = 0.3  # of the logarithm of a word's width over the width expected from its characters
MAX_LOG_WIDTH = 0.7  # a word whose width differs by more than this, in logarithms, spoils the line
GAP_WEIGHT = 1.5  # score of a gap that is one character wide


@dataclass(frozen=True)
class CutWord:
    """The text of a word, and its columns `[left, right)` of the canvas."""

    text: str
    left: int
    right: int


def cut_words(canvas: np.ndarray, text: str, box: tuple[int, int, int, int]) -> list[CutWord]:
    """Cut the line in `box` (x, y, width, height) of a uint8 canvas (H, W); return no words if the cut is uncertain."""
    x, y, width, height = box
    left, top = max(x, 0), max(y, 0)
    columns = np.flatnonzero((canvas[top : y + height, left : x + width] < DARK).any(axis=0))
    words = text.split()
    if not len(columns):
        return []
    start, stop = int(columns[0]), int(columns[-1]) + 1
    gaps = [(int(columns[i]) + 1, int(columns[i + 1])) for i in np.flatnonzero(np.diff(columns) > 1)]
    chosen = _choose_gaps(gaps, words, start, stop)
    if chosen is None:
        return []
    edges = [start, *(edge for index in chosen for edge in gaps[index]), stop]
    spans = zip(edges[::2], edges[1::2], strict=True)
    return [CutWord(word, left + begin, left + end) for word, (begin, end) in zip(words, spans, strict=True)]


def _choose_gaps(gaps: list[tuple[int, int]], words: list[str], start: int, stop: int) -> list[int] | None:
    """Return the indices of the gaps between the words; None if there are too few or a wider gap is left over."""
    if len(gaps) < len(words) - 1:
        return None
    character = (stop - start) / len(" ".join(words))
    begins = np.array([start, *(end for _, end in gaps)], dtype=float)  # possible beginnings of a word
    ends = np.array([*(begin for begin, _ in gaps), stop], dtype=float)  # possible ends of a word
    sizes = np.array([end - begin for begin, end in gaps] + [0], dtype=float)
    widths = np.maximum(ends[None, :] - begins[:, None], 0.5)
    later = np.arange(len(ends))[None, :] >= np.arange(len(begins))[:, None]
    best = np.full(len(begins), -np.inf)
    best[0] = 0.0
    origins = []
    for word in words:
        fit = -0.5 * (np.log(widths / (character * len(word))) / LOG_WIDTH_SIGMA) ** 2
        fit = np.where(later & (np.abs(fit) < 0.5 * (MAX_LOG_WIDTH / LOG_WIDTH_SIGMA) ** 2), fit, -np.inf)
        total = best[:, None] + fit + GAP_WEIGHT * sizes / character
        origins.append(total.argmax(axis=0))
        at_end = total.max(axis=0)  # by the gap (or the line's end) after this word
        best = np.concatenate([[-np.inf], at_end[:-1]])
    if not np.isfinite(at_end[-1]):
        return None
    chosen = _trace_back(origins)
    left_over = np.delete(sizes[:-1], chosen)
    narrowest = sizes[chosen].min() if chosen else np.inf
    return chosen if not len(left_over) or narrowest >= max(left_over.max(), 0.25 * character) else None


def _trace_back(origins: list[np.ndarray]) -> list[int]:
    """Return the gaps on the best path, from the choice of each word's beginning by its end."""
    chosen, end = [], len(origins[0]) - 1
    for origin in reversed(origins):
        end = int(origin[end]) - 1  # the word that ends there begins after this gap
        chosen.append(end)
    return chosen[-2::-1]
