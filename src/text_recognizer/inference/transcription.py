"""The transcription of one page, and how it follows from the CTC log-probabilities of its lines."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Protocol

import numpy as np

from text_recognizer.core import schemas
from text_recognizer.core.charset import BLANK_ID, CHARSET, NEWLINE, SPECIAL, is_crossed_out
from text_recognizer.core.geometry import Box, Point


@dataclass(frozen=True)
class Calibration:
    """How log-probabilities become confidences: a softmax at a temperature, then an exponent.

    A temperature above 1 lowers the confidence if several characters are about equally likely (Guo et al. 2017, "On
    calibration of modern neural networks"). An exponent below 1 raises all confidences: the errors in the characters of
    a word are correlated, so that the plain product over them would be too low for a word. Neither changes the text
    that is read from a page at a given size.
    """

    temperature: float = 1.0
    exponent: float = 1.0


# The model's own probabilities.
UNCALIBRATED = Calibration()


@dataclass(frozen=True)
class TranscribedLine:
    """One line. `box` is in pixels of the picture, with the origin at the top left; `confidence` is in 0..1.

    `characters` holds the confidence of each character of `text`; the confidence of the line is their mean. The other
    fields are those of the record `schemas.Line`; `word_boxes` holds the box of each word.
    """

    text: str
    confidence: float
    box: Box
    characters: tuple[float, ...] = ()
    word_boxes: tuple[Box, ...] = ()
    polygon: tuple[Point, ...] = ()
    baseline: tuple[Point, ...] = ()
    kind: schemas.LineKind = "written"
    dubious: bool = False
    region: int = 0

    @property
    def words(self) -> list[tuple[str, float]]:
        """Each word with the confidence that all of it is right: the product over its characters."""
        words, start = [], 0
        for word in self.text.split(" "):
            words.append((word, math.prod(self.characters[start : start + len(word)])))
            start += len(word) + 1
        return words

    def to_record(self) -> schemas.Line:
        """Return the line as a record for JSON."""
        boxes = self.word_boxes or (self.box,) * len(self.words)
        words = tuple(
            schemas.Word(text=word, confidence=confidence, box=box, crossed_out=is_crossed_out(word))
            for (word, confidence), box in zip(self.words, boxes, strict=True)
        )
        return schemas.Line(
            text=self.text,
            confidence=self.confidence,
            box=self.box,
            words=words,
            polygon=self.polygon,
            baseline=self.baseline,
            kind=self.kind,
            dubious=self.dubious,
            region=self.region,
        )


@dataclass(frozen=True)
class PageGeometry:
    """The size of the picture in pixels, the clockwise turn that makes it upright, and what was found on it."""

    width: int = 0
    height: int = 0
    turn: int = 0
    sheet: tuple[Point, Point, Point, Point] | None = None
    regions: tuple[Box, ...] = ()


@dataclass(frozen=True)
class Transcription:
    """A page: its lines joined by newlines. `confidence` is the mean over its characters, 1.0 if there are none.

    `geometry` and `timings` are known if a whole picture was read.
    """

    text: str
    confidence: float
    lines: tuple[TranscribedLine, ...]
    geometry: PageGeometry = PageGeometry()
    timings: tuple[schemas.Timing, ...] = field(default=(), compare=False)

    @classmethod
    def of(cls, lines: Sequence[TranscribedLine]) -> "Transcription":
        """Return the transcription of a page that consists of `lines`, in reading order."""
        characters = sum(len(line.text) for line in lines)
        total = sum(line.confidence * len(line.text) for line in lines)
        return cls(NEWLINE.join(line.text for line in lines), total / characters if characters else 1.0, tuple(lines))

    def to_record(self) -> schemas.Page:
        """Return the page as a record for JSON: its text, its lines, and the words of each line."""
        lines = tuple(line.to_record() for line in self.lines)
        return schemas.Page(
            text=self.text,
            confidence=self.confidence,
            lines=lines,
            width=self.geometry.width,
            height=self.geometry.height,
            turn=self.geometry.turn,
            sheet=self.geometry.sheet,
            regions=tuple(schemas.Region(box=box) for box in self.geometry.regions),
            timings=self.timings,
        )


def renumber_regions(lines: Sequence[TranscribedLine]) -> tuple[list[int], list[TranscribedLine]]:
    """Number the regions that have lines from 0, in their order. Return their old numbers, and the lines."""
    numbers = sorted({line.region for line in lines})
    return numbers, [replace(line, region=numbers.index(line.region)) for line in lines]


@dataclass(frozen=True)
class EmittedCharacter:
    """One character of a CTC path, its confidence, and the first and last grid column that emitted it."""

    character: str
    probability: float
    first: int
    last: int


def best_path(log_probabilities: np.ndarray) -> list[EmittedCharacter]:
    """Decode the log-probabilities of one line, (w, C), greedily (CTC best path)."""
    return emitted_characters(log_probabilities, log_probabilities.argmax(axis=1))


def emitted_characters(
    log_probabilities: np.ndarray, path: np.ndarray, calibration: Calibration = UNCALIBRATED
) -> list[EmittedCharacter]:
    """Return the characters along a CTC path (w,) through the log-probabilities of one line, (w, C).

    The confidence of a character is the highest one among its columns.
    """
    columns = np.arange(len(path))
    confidences = tempered(log_probabilities, calibration.temperature)[columns, path] ** calibration.exponent
    edges = np.flatnonzero(np.diff(path)) + 1
    out = []
    for start, stop in zip(np.r_[0, edges], np.r_[edges, len(path)], strict=True):
        character = CHARSET[int(path[start])]
        if path[start] != BLANK_ID and character not in SPECIAL:
            highest = float(confidences[start:stop].max())
            out.append(EmittedCharacter(character, highest, int(start), int(stop) - 1))
    return out


def tempered(log_probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Return the probabilities (w, C) at a temperature; at 1 they are the model's own."""
    scaled = log_probabilities / temperature
    weights = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


class LinePlace(Protocol):
    """Where a line lies in its picture."""

    def box(self, first: int, last: int) -> Box:
        """Return the box of the text from grid column `first` to `last`, in pixels of the picture."""


@dataclass(frozen=True, eq=False)
class DecodedLine:
    """The log-probabilities (w, C) of a line and the class of each column along the decoded CTC path, (w,).

    If a language model was fused, it has changed the log-probabilities along that path, and the probabilities of a
    column need not sum to 1.
    """

    log_probabilities: np.ndarray
    path: np.ndarray

    def characters(self, calibration: Calibration = UNCALIBRATED) -> list[EmittedCharacter]:
        """Return the characters of the line's text."""
        return text_characters(emitted_characters(self.log_probabilities, self.path, calibration))


def recalibrate(line: TranscribedLine, decoded: DecodedLine, calibration: Calibration) -> TranscribedLine:
    """Return a line with the confidences that another calibration gives. `decoded` is where the line was read from."""
    confidences = tuple(one.probability for one in decoded.characters(calibration))
    return replace(line, confidence=sum(confidences) / len(confidences), characters=confidences)


def to_line(emitted: Sequence[EmittedCharacter], place: LinePlace) -> TranscribedLine | None:
    """Return the text, confidence and boxes of a line, or None if it holds nothing but spaces."""
    kept = text_characters(emitted)
    if not kept:
        return None
    text = "".join(" " if one.character.isspace() else one.character for one in kept)
    confidences = tuple(one.probability for one in kept)
    words = [list(word) for space, word in groupby(kept, lambda one: one.character.isspace()) if not space]
    return TranscribedLine(
        text,
        sum(confidences) / len(confidences),
        place.box(kept[0].first, kept[-1].last),
        confidences,
        tuple(place.box(word[0].first, word[-1].last) for word in words),
    )


def text_characters(emitted: Sequence[EmittedCharacter]) -> list[EmittedCharacter]:
    """Return the emitted characters that make up the text of a line: without outer and without repeated spaces."""
    kept: list[EmittedCharacter] = []
    for one in emitted:
        if not one.character.isspace() or (kept and not kept[-1].character.isspace()):
            kept.append(one)
    return kept[:-1] if kept and kept[-1].character.isspace() else kept
