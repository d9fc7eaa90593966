"""Written words as pen strokes on the way to the paper."""

import re
from dataclasses import dataclass, replace

import numpy as np

# IAM splits a line into words and marks: "time," is two tokens, "o'clock", "Mr." and "4.50" are one.
_TOKEN = re.compile(r"[A-Za-z0-9]+(?:['.\-][A-Za-z0-9]+)*(?:(?<=\bMr)\.|(?<=\bMrs)\.|(?<=\bDr)\.|(?<=\bNo)\.)?|.")


@dataclass(frozen=True)
class Ink:
    """A written word: `points` (n, 2) in pixels at 300 dpi, y down; `lengths` (s,) the points of each stroke.

    `letters` (s,) says which character of `text` each stroke belongs to.
    """

    text: str
    points: np.ndarray
    lengths: np.ndarray
    letters: np.ndarray

    @property
    def width(self) -> float:
        return float(np.ptp(self.points[:, 0]))

    def moved(self, x: float, y: float) -> "Ink":
        return replace(self, points=self.points + np.array([x, y], dtype=np.float32))

    def tokens(self) -> "list[Ink]":
        """The word split as IAM splits it, each token with its own strokes."""
        texts = _TOKEN.findall(self.text)
        token = np.searchsorted(np.cumsum([len(text) for text in texts]), self.letters, side="right")
        of_point = np.repeat(token, self.lengths)
        return [
            Ink(text, self.points[of_point == i], self.lengths[token == i], self.letters[token == i])
            for i, text in enumerate(texts)
        ]
