"""Cutting a labelled line into its words: IAM's forms label lines, and recombination wants words.

The gaps between words are the widest ones, and a word is about as wide as it has characters: the cut is the choice of
gaps that suits both best, found by dynamic programming. A line where the two disagree is left whole, so that few words
are cut wrong; what it costs is words that are not used.
"""

from dataclasses import dataclass

import numpy as np

INK = 128  # grey values below are ink
SPREAD = 0.3  # of the logarithm of a word's width about what its characters ask for
FARTHEST = 0.7  # a word farther off than this factor (in logarithms) spoils the line
GAP_WEIGHT = 1.5  # what a gap of one character's width adds


@dataclass(frozen=True)
class Word:
    """A word's text, and where it lies: columns `[left, right)` of the canvas."""

    text: str
    left: int
    right: int


def cut_words(canvas: np.ndarray, text: str, box: tuple[int, int, int, int]) -> list[Word]:
    """The words of the line in `box` (x, y, width, height) of a uint8 canvas (H, W); none where the cut is in doubt."""
    x, y, width, height = box
    left, top = max(x, 0), max(y, 0)
    ink = (canvas[top : y + height, left : x + width] < INK).any(axis=0)
    inked = np.flatnonzero(ink)
    words = text.split()
    if not len(inked):
        return []
    start, stop = int(inked[0]), int(inked[-1]) + 1
    steps = np.diff(inked)
    gaps = [(int(inked[i]) + 1, int(inked[i + 1])) for i in np.flatnonzero(steps > 1)]
    chosen = _choose(gaps, words, start, stop)
    if chosen is None:
        return []
    edges = [start, *(edge for index in chosen for edge in gaps[index]), stop]
    spans = zip(edges[::2], edges[1::2], strict=True)
    return [Word(word, left + begin, left + end) for word, (begin, end) in zip(words, spans, strict=True)]


def _choose(gaps: list[tuple[int, int]], words: list[str], start: int, stop: int) -> list[int] | None:
    """Indices of the gaps between the words; None where too few, or where a wider one had to be passed over."""
    if len(gaps) < len(words) - 1:
        return None
    character = (stop - start) / len(" ".join(words))
    begins = np.array([start, *(end for _, end in gaps)], dtype=float)  # where a word may begin
    ends = np.array([*(begin for begin, _ in gaps), stop], dtype=float)  # and where it may end
    sizes = np.array([end - begin for begin, end in gaps] + [0], dtype=float)
    widths = np.maximum(ends[None, :] - begins[:, None], 0.5)
    later = np.arange(len(ends))[None, :] >= np.arange(len(begins))[:, None]
    best = np.full(len(begins), -np.inf)
    best[0] = 0.0
    came = []
    for word in words:
        fit = -0.5 * (np.log(widths / (character * len(word))) / SPREAD) ** 2
        fit = np.where(later & (np.abs(fit) < 0.5 * (FARTHEST / SPREAD) ** 2), fit, -np.inf)
        total = best[:, None] + fit + GAP_WEIGHT * sizes / character
        came.append(total.argmax(axis=0))
        at_end = total.max(axis=0)  # by the gap (or the line's end) after this word
        best = np.concatenate([[-np.inf], at_end[:-1]])
    if not np.isfinite(at_end[-1]):
        return None
    chosen = _trace(came)
    passed = np.delete(sizes[:-1], chosen)
    narrowest = sizes[chosen].min() if chosen else np.inf
    return chosen if not len(passed) or narrowest >= max(passed.max(), 0.25 * character) else None


def _trace(came: list[np.ndarray]) -> list[int]:
    chosen, end = [], len(came[0]) - 1
    for back in reversed(came):
        end = int(back[end]) - 1  # the word that ends there began after this gap
        chosen.append(end)
    return chosen[-2::-1]
