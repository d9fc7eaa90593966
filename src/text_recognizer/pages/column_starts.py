"""Find the pieces of text with which the lines of a column begin, so that no line runs on into the next column."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from text_recognizer.pages.text_detection import TextBox

SIDES = -np.ones(1), np.ones(1)  # the beginning and the end of a piece of text
MIN_GUTTER = 0.8  # heights; the least width of the gap between two columns
MAX_INDENT = 0.6  # heights by which two lines of a column may begin left or right of each other
MAX_PITCH = 2.6  # heights between two lines of a column
MIN_LINES = 4  # of a column; three words of a text with wide gaps may begin at the same place by chance
MIN_BESIDE = 2  # lines of a column that have text on their left
MIN_TEXT = 2.0  # heights; the least length of such text
SAME_ROW = 0.7  # heights between the middles of two pieces of one row


@dataclass(frozen=True)
class _Pieces:
    """Left, right, middle and height (N,) of pieces of text, turned by their usual direction."""

    left: np.ndarray
    right: np.ndarray
    middle: np.ndarray
    height: np.ndarray

    @classmethod
    def of(cls, boxes: Sequence[TextBox]) -> "_Pieces":
        degrees = np.radians(np.median([box.degrees for box in boxes]))
        turn = np.array([[np.cos(degrees), -np.sin(degrees)], [np.sin(degrees), np.cos(degrees)]])
        starts, ends = (np.concatenate([box.point(side, np.zeros(1)) for box in boxes]) @ turn for side in SIDES)
        heights = np.array([box.height for box in boxes], dtype=float)
        return cls(starts[:, 0], ends[:, 0], (starts[:, 1] + ends[:, 1]) / 2, heights)


def column_starts(boxes: Sequence[TextBox]) -> frozenset[int]:
    """Return the indices of the pieces that begin a line of a column which has text on its left.

    Such pieces begin at the same place, one below the other, and no text crosses the gap before them.
    """
    if len(boxes) < MIN_LINES + MIN_BESIDE:
        return frozenset()
    pieces = _Pieces.of(boxes)
    return frozenset(index for index in range(len(boxes)) if _begins_column(index, pieces))


def _begins_column(index: int, pieces: _Pieces) -> bool:
    above, below = (_stacked(index, pieces, direction) for direction in (-1, 1))
    column = [index, *above, *below]
    return len(column) >= MIN_LINES and sum(_has_text_beside(one, pieces) for one in column) >= MIN_BESIDE


def _stacked(index: int, pieces: _Pieces, direction: int) -> list[int]:
    """Return the pieces that begin where a piece does, going up (-1) or down (1) until text crosses the gap."""
    height, found, last = pieces.height[index], [], index
    ahead = (pieces.middle - pieces.middle[index]) * direction
    same = (np.abs(pieces.left - pieces.left[index]) <= MAX_INDENT * height) & (ahead > SAME_ROW / 2 * height)
    for other in np.flatnonzero(same)[np.argsort(ahead[same])].tolist():
        pitch = ahead[other] - ahead[last]
        if pitch > MAX_PITCH * height or _is_crossed(last, other, pieces):
            break
        found.append(other)
        last = other
    return found


def _is_crossed(first: int, second: int, pieces: _Pieces) -> bool:
    """Return whether text crosses the gap before two pieces, one below the other."""
    height, start = pieces.height[first], min(pieces.left[first], pieces.left[second])
    top, bottom = sorted((pieces.middle[first], pieces.middle[second]))
    crosses = (pieces.left < start - MIN_GUTTER * height) & (pieces.right > start - MIN_GUTTER / 3 * height)
    between = (pieces.middle > top - SAME_ROW / 2 * height) & (pieces.middle < bottom + SAME_ROW / 2 * height)
    return bool((crosses & between).any())


def _has_text_beside(index: int, pieces: _Pieces) -> bool:
    height = pieces.height[index]
    before = pieces.right <= pieces.left[index] - MIN_GUTTER / 2 * height
    text = pieces.right - pieces.left >= MIN_TEXT * pieces.height
    return bool((before & text & (np.abs(pieces.middle - pieces.middle[index]) < SAME_ROW * height)).any())
