"""Words that the writer crossed out: the reader emits `#` for each, as the transcriptions do that it learned from."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from text_recognizer.core.charset import CROSSED_OUT, is_crossed_out
from text_recognizer.core.geometry import Box
from text_recognizer.inference.transcription import TranscribedLine, Transcription, renumber_regions

# A sign within a word stands for letters that were crossed out; before a digit it is the sign of a number.
WITHIN_WORD = re.compile(rf"{re.escape(CROSSED_OUT)}(?!\d)")


@dataclass(frozen=True)
class _Word:
    """A word of a line, from character `start` of its text."""

    text: str
    start: int
    box: Box | None

    def kept(self) -> list[int]:
        """Return the places of the characters that stay in the line's text; none if the word is crossed out."""
        if is_crossed_out(self.text):
            return []
        dropped = {match.start() for match in WITHIN_WORD.finditer(self.text)}
        return [self.start + place for place in range(len(self.text)) if place not in dropped]


def drop_crossed_out(page: Transcription) -> Transcription:
    """Return a page without the words that are crossed out.

    The other words keep their boxes and confidences, and the confidences of lines and page are those of what is left. A
    line of which nothing is left is removed, and so is a region without lines.
    """
    numbers, lines = renumber_regions([kept for line in page.lines if (kept := _without_crossed_out(line))])
    regions = page.geometry.regions
    geometry = replace(page.geometry, regions=tuple(regions[number] for number in numbers if number < len(regions)))
    return replace(Transcription.of(lines), geometry=geometry, timings=page.timings)


def _without_crossed_out(line: TranscribedLine) -> TranscribedLine | None:
    """Return a line without what is crossed out; None if nothing is left."""
    if CROSSED_OUT not in line.text:
        return line
    places: list[int] = []
    boxes = []
    for word in _words(line.text, line.word_boxes):
        kept = word.kept()
        if kept:
            places += [word.start - 1, *kept] if places else kept  # with the space before the word
            boxes.append(word.box)
    if not places:
        return None
    confidences = tuple(line.characters[place] for place in places) if line.characters else ()
    return replace(
        line,
        text="".join(line.text[place] for place in places),
        confidence=sum(confidences) / len(confidences) if confidences else line.confidence,
        characters=confidences,
        word_boxes=tuple(box for box in boxes if box),
    )


def _words(text: str, boxes: Sequence[Box]) -> Iterator[_Word]:
    """Yield the words of a line."""
    start = 0
    for number, word in enumerate(text.split(" ")):
        yield _Word(word, start, boxes[number] if boxes else None)
        start += len(word) + 1
