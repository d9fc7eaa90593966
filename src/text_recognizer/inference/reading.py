"""What a model read on one page, and how it comes out of CTC's log-probabilities."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from text_recognizer.bands import LINE_HEIGHT, Grid
from text_recognizer.text import BLANK_ID, MAPPING, NEWLINE, SPECIAL

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class ReadLine:
    """One line. `box` is `(x, y, width, height)` in pixels of the picture, origin top left; `confidence` is in 0..1."""

    text: str
    confidence: float
    box: Box


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
        return dataclasses.asdict(self)


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


def glyphs(log_probabilities: np.ndarray, path: np.ndarray) -> list[Glyph]:
    """The characters along a CTC path (w,) through one line's log-probabilities (w, C)."""
    best = np.exp(log_probabilities[np.arange(len(path)), path])
    edges = np.flatnonzero(np.diff(path)) + 1
    out = []
    for start, stop in zip(np.r_[0, edges], np.r_[edges, len(path)], strict=True):
        character = MAPPING[int(path[start])]
        if path[start] != BLANK_ID and character not in SPECIAL:
            out.append(Glyph(character, float(best[start:stop].max()), int(start), int(stop) - 1))
    return out


def to_line(written: Sequence[Glyph], centre: float, grid: Grid) -> ReadLine | None:
    """A line's text, confidence and box in pixels of the canvas; None where it holds nothing but spaces."""
    inked = [index for index, glyph in enumerate(written) if not glyph.character.isspace()]
    if not inked:
        return None
    kept = written[inked[0] : inked[-1] + 1]
    text = " ".join("".join(glyph.character for glyph in kept).split())
    left, right = kept[0].first * grid.cell_width, (kept[-1].last + 1) * grid.cell_width
    height = round(LINE_HEIGHT * grid.dpi)
    box = (left, round(centre * grid.cell_height - height / 2), right - left, height)
    return ReadLine(text, sum(glyph.probability for glyph in kept) / len(kept), box)
