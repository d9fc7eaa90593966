"""Match the text of a page with its strips, by what a reader made of each strip.

The reader may be much worse than the one that is trained on the result: it only has to tell the lines of a page apart.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from rapidfuzz import fuzz
from rapidfuzz.distance import Levenshtein

MAX_LINE_CER = 0.4  # of a reading against the line of text that it is matched with
MAX_STRETCH_CER = 0.35  # of a reading against a stretch of a text without line breaks
MIN_STRETCH_READING = 8  # characters; shorter readings fit in too many places of a text
MIN_SIMILARITY = 70  # percent; of a reading and the part of a text that is most like it


class Reason(StrEnum):
    """Why a line of text or a strip is left out."""

    NO_STRIP = "no strip of the page reads like the line"
    NOTHING_READ = "nothing was read on the strip"
    NO_LINE = "no line of the text is like the strip's reading"
    SHORT_READING = "the strip's reading is too short for a text without line breaks"
    NO_STRETCH = "no stretch of the text is like the strip's reading"
    UNKNOWN_CHARACTERS = "the line has characters outside the charset"
    TOO_LONG = "the line is longer than a canvas"
    EMPTY = "the archive has no text of the line"
    NO_WRITING = "the archive labels the line as printed, typed or stamped"
    NO_PLACE = "the archive does not say where the line lies, or names a place outside the picture"
    NOT_FOUND = "no text was found where the line lies"
    SHARED = "the text that was found there belongs to other lines too"
    PARTLY_FOUND = "only a part of the line was found"
    FOUND_LONGER = "the text that was found there goes on beyond the line"
    UPSIDE_DOWN = "the line runs the other way than the text that was found"
    NO_LABEL = "text was found where the archive has no line"


@dataclass(frozen=True)
class StripText:
    """The text of the strip with index `strip`. `cer` is the character error rate of the strip's reading."""

    strip: int
    text: str
    cer: float


@dataclass(frozen=True)
class LeftOut:
    """A line of text, or the reading of a strip, that is left out."""

    text: str
    reason: Reason


@dataclass(frozen=True)
class Alignment:
    """The strips whose text is known, in the order of the strips, and what is left out."""

    matches: tuple[StripText, ...]
    left_out: tuple[LeftOut, ...]


def match_lines(lines: Sequence[str], readings: Sequence[str], max_cer: float = MAX_LINE_CER) -> Alignment:
    """Match the lines of a text with the readings of strips. Each line and each strip is matched at most once.

    The pair with the lowest CER is taken first, then the best pair of the rest, up to `max_cer`. So each half of a pair
    is the best match that is left for the other.
    """
    pairs = sorted(
        (cer, line, strip)
        for line, text in enumerate(lines)
        for strip, reading in enumerate(readings)
        if text and reading and (cer := _cer(text, reading)) <= max_cer
    )
    strip_of: dict[int, int] = {}
    matches: dict[int, StripText] = {}
    for cer, line, strip in pairs:
        if line not in strip_of and strip not in matches:
            strip_of[line] = strip
            matches[strip] = StripText(strip, lines[line], cer)
    left_out = [LeftOut(text, Reason.NO_STRIP) for line, text in enumerate(lines) if line not in strip_of]
    left_out += [
        LeftOut(reading, Reason.NO_LINE if reading else Reason.NOTHING_READ)
        for strip, reading in enumerate(readings)
        if strip not in matches
    ]
    return Alignment(tuple(matches[strip] for strip in sorted(matches)), tuple(left_out))


def match_stretches(text: str, readings: Sequence[str], max_cer: float = MAX_STRETCH_CER) -> Alignment:
    """Find for each strip the words of a text without line breaks that are most like its reading.

    The strips are placed independently of each other, so that words which the writer left out do no harm.
    """
    text = " ".join(text.split())
    matches, left_out = [], []
    for strip, reading in enumerate(readings):
        if not reading:
            left_out.append(LeftOut(reading, Reason.NOTHING_READ))
        elif len(reading) < MIN_STRETCH_READING:
            left_out.append(LeftOut(reading, Reason.SHORT_READING))
        elif (found := _best_stretch(text, reading)) and _cer(found, reading) <= max_cer:
            matches.append(StripText(strip, found, _cer(found, reading)))
        else:
            left_out.append(LeftOut(reading, Reason.NO_STRETCH))
    return Alignment(tuple(matches), tuple(left_out))


def _cer(text: str, reading: str) -> float:
    return Levenshtein.distance(text, reading) / len(text)


def _best_stretch(text: str, reading: str) -> str:
    """Return the whole words of a text that are most like a reading; nothing if none are."""
    part = fuzz.partial_ratio_alignment(reading, text, score_cutoff=MIN_SIMILARITY)
    words = [word.span() for word in re.finditer(r"\S+", text)]
    if part is None or not words:
        return ""
    # The part is as long as the reading, so it may begin or end a word too early or too late.
    first = max(0, bisect_right(words, part.dest_start, key=lambda word: word[0]) - 1)
    last = min(len(words) - 1, bisect_left(words, part.dest_end, key=lambda word: word[1]))
    stretches = [
        text[words[start][0] : words[stop][1]]
        for start in range(first, first + 3)
        for stop in range(last, last - 3, -1)
        if start <= stop
    ]
    return min(stretches, key=lambda stretch: Levenshtein.distance(stretch, reading), default="")
