"""Records of a page that was read."""

from text_recognizer.core.geometry import Box
from text_recognizer.core.schemas.record_types import Confidence, Record


class Word(Record):
    """A word that was read, and the confidence that all of its characters are right."""

    text: str
    confidence: Confidence


class Line(Record):
    """A line that was read. The box is in pixels of the picture, as x, y, width, height."""

    text: str
    confidence: Confidence
    box: Box
    words: tuple[Word, ...] = ()


class Page(Record):
    """A page that was read: its lines in reading order, and their texts joined by newlines."""

    text: str
    confidence: Confidence
    lines: tuple[Line, ...]
