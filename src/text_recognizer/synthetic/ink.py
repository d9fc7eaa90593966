"""Written words as pen strokes, before they are drawn on paper."""

import re
from dataclasses import dataclass, replace

import numpy as np

# IAM splits a line into words and marks: "time," is two tokens; "o'clock", "Mr." and "4.50" are one.
_TOKEN = re.compile(r"[A-Za-z0-9]+(?:['.\-][A-Za-z0-9]+)*(?:(?<=\bMr)\.|(?<=\bMrs)\.|(?<=\bDr)\.|(?<=\bNo)\.)?|.")


@dataclass(frozen=True)
class Ink:
    """The strokes of a word.

    `points` (n, 2) are pixels at 300 dpi, y down, stroke after stroke. `lengths` (s,) are the points of each stroke.
    `letters` (s,) are the index in `text` of the character that each stroke belongs to.
    """

    text: str
    points: np.ndarray
    lengths: np.ndarray
    letters: np.ndarray

    @property
    def width(self) -> float:
        """The distance in pixels from the leftmost point to the rightmost."""
        return float(np.ptp(self.points[:, 0]))

    def moved(self, x: float, y: float) -> "Ink":
        """Return the strokes moved to the right by `x` and down by `y` pixels."""
        return replace(self, points=self.points + np.array([x, y], dtype=np.float32))

    def tokens(self) -> "list[Ink]":
        """Split the word as IAM splits it. Each token keeps its own strokes."""
        texts = _TOKEN.findall(self.text)
        token = np.searchsorted(np.cumsum([len(text) for text in texts]), self.letters, side="right")
        of_point = np.repeat(token, self.lengths)
        return [
            Ink(text, self.points[of_point == i], self.lengths[token == i], self.letters[token == i])
            for i, text in enumerate(texts)
        ]
