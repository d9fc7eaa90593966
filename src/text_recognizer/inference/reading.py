"""What a model read on one page, and how it comes out of CTC's log-probabilities."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from text_recognizer.bands import LINE_HEIGHT, Grid
from text_recognizer.text import BLANK_ID, MAPPING, NEWLINE, SPECIAL

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Doubt:
    """How scores become confidences: probabilities at a temperature, to a power. At 1 and 1 they are the model's own.

    A temperature above 1 makes a model less sure where it wavers between characters (Guo et al. 2017). A power below 1
    makes it surer of all of them: where one character of a word is right the others mostly are, and the plain product
    over them would promise too little. Neither changes what is read of a page at a given size.
    """

    temperature: float = 1.0
    power: float = 1.0


OWN = Doubt()


@dataclass(frozen=True)
class ReadLine:
    """One line. `box` is `(x, y, width, height)` in pixels of the picture, origin top left; `confidence` is in 0..1.

    `characters` holds the confidence of each character of `text`; the line's is their mean.
    """

    text: str
    confidence: float
    box: Box
    characters: tuple[float, ...] = ()

    @property
    def words(self) -> list[tuple[str, float]]:
        """Each word and the confidence that all of it is right: the product over its characters."""
        words, start = [], 0
        for word in self.text.split(" "):
            words.append((word, math.prod(self.characters[start : start + len(word)])))
            start += len(word) + 1
        return words

    def as_dict(self) -> dict:
        words = [{"text": word, "confidence": confidence} for word, confidence in self.words]
        return {"text": self.text, "confidence": self.confidence, "box": self.box, "words": words}


@dataclass(frozen=True)
class Reading:
    """A page: its lines joined by newlines. `confidence` is the mean over its characters, 1.0 where there are none."""

    text: str
    confidence: float
    lines: tuple[ReadLine, ...]

    @classmethod
    def of(cls, lines: Sequence[ReadLine]) -> "Reading":
        letters = sum(len(line.text) for line in lines)
        sure = sum(line.confidence * len(line.text) for line in lines)
        return cls(NEWLINE.join(line.text for line in lines), sure / letters if letters else 1.0, tuple(lines))

    def as_dict(self) -> dict:
        """For JSON: the text, the lines, and the words of each line with their confidence."""
        return {"text": self.text, "confidence": self.confidence, "lines": tuple(line.as_dict() for line in self.lines)}


@dataclass(frozen=True)
class Glyph:
    """One emitted character, its probability, and the first and last grid column that it came from."""

    character: str
    probability: float
    first: int
    last: int


def best_path(log_probabilities: np.ndarray) -> list[Glyph]:
    """Greedy CTC decoding of one line's log-probabilities (w, C)."""
    return glyphs(log_probabilities, log_probabilities.argmax(axis=1))


def glyphs(log_probabilities: np.ndarray, path: np.ndarray, doubt: Doubt = OWN) -> list[Glyph]:
    """The characters along a CTC path (w,) through one line's log-probabilities (w, C)."""
    best = tempered(log_probabilities, doubt.temperature)[np.arange(len(path)), path] ** doubt.power
    edges = np.flatnonzero(np.diff(path)) + 1
    out = []
    for start, stop in zip(np.r_[0, edges], np.r_[edges, len(path)], strict=True):
        character = MAPPING[int(path[start])]
        if path[start] != BLANK_ID and character not in SPECIAL:
            out.append(Glyph(character, float(best[start:stop].max()), int(start), int(stop) - 1))
    return out


def tempered(log_probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Probabilities (w, C) at a temperature; at 1 they are the model's own."""
    scaled = log_probabilities / temperature
    weights = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


def to_line(written: Sequence[Glyph], centre: float, grid: Grid) -> ReadLine | None:
    """A line's text, confidence and box in pixels of the canvas; None where it holds nothing but spaces."""
    kept = spelling(written)
    if not kept:
        return None
    text = "".join(" " if glyph.character.isspace() else glyph.character for glyph in kept)
    sure = tuple(glyph.probability for glyph in kept)
    left, right = kept[0].first * grid.cell_width, (kept[-1].last + 1) * grid.cell_width
    height = round(LINE_HEIGHT * grid.dpi)
    box = (left, round(centre * grid.cell_height - height / 2), right - left, height)
    return ReadLine(text, sum(sure) / len(sure), box, sure)


def spelling(written: Sequence[Glyph]) -> list[Glyph]:
    """The glyphs that become a line's text, one a character: outer spaces and repeated ones are left out."""
    kept: list[Glyph] = []
    for glyph in written:
        if not glyph.character.isspace() or (kept and not kept[-1].character.isspace()):
            kept.append(glyph)
    return kept[:-1] if kept and kept[-1].character.isspace() else kept
