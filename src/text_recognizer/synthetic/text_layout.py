"""Place words on lines: each line is filled from margin to margin. Lengths are in pixels at 300 dpi."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from text_recognizer.synthetic.ink import Ink
from text_recognizer.synthetic.sheet import CLEAR, Sheet
from text_recognizer.synthetic.waves import Waves
from text_recognizer.synthetic.writer import Writer

EDGE = 20  # least distance of the writing from the edge of the paper
EARLY_END = 0.5  # chance that the last of several lines ends before the margin
LONG_WORD = 7  # letters; shorter words are not broken
BASELINE_WAVE = 700


@dataclass(frozen=True)
class TextLayout:
    """The words of a form: x on the page, y from the line's own baseline. `words` is the text without hyphenation."""

    lines: list[list[Ink]]
    words: list[str]


class _Words:
    """A stream of words. The next one can be looked at, taken, or taken in part."""

    def __init__(self, source: Iterator[str]) -> None:
        self.source = source
        self.next = next(source)
        self.taken: list[str] = []
        self.whole = True

    def take(self) -> None:
        """Move on to the next word."""
        self.take_part(len(self.next))
        self.next, self.whole = next(self.source), True

    def take_part(self, letters: int) -> None:
        """Take the first letters of the next word. The rest of it is the next word then."""
        if self.whole:
            self.taken.append(self.next)
        self.next, self.whole = self.next[letters:], False


def lay_out(writer: Writer, source: Iterator[str], sheet: Sheet, count: int, rng: np.random.Generator) -> TextLayout:
    """Fill `count` lines. The last one may end early; a word that is too long for a line is broken with a hyphen."""
    left, right = sheet.margins(writer.style)
    words = _Words(source)
    lines = []
    for index in range(count):
        last = index == count - 1
        start = max(EDGE, left + writer.style.drift * index + rng.normal(0, 6))
        margin = min(sheet.width - EDGE, right + rng.normal(0, 18))
        early = last and count > 1 and rng.random() < EARLY_END
        end = start + (margin - start) * rng.uniform(0.3, 1) if early else margin
        extent = _Extent(start, end, margin)
        lines.append(_fill_line(writer, words, extent, 0.0 if last else writer.style.hyphens, rng))
    return TextLayout(_bend_lines(lines, writer, sheet, rng), words.taken)


@dataclass(frozen=True)
class _Extent:
    """Where a line starts, where it ends, and the margin that its first word may reach."""

    start: float
    end: float
    margin: float


def _fill_line(writer: Writer, words: _Words, extent: _Extent, hyphens: float, rng: np.random.Generator) -> list[Ink]:
    """Write words until the next one does not fit. `hyphens` is the chance that it is broken."""
    line: list[Ink] = []
    x = extent.start
    while True:
        ink = writer.write(words.next, rng)
        space = (extent.end if line else extent.margin) - x
        if ink.width > space:
            return line + _break_word(writer, words, x, space, hyphens if line else 1.0, rng)
        line.append(ink.moved(x, rng.normal(0, 0.02 * writer.x_height)))
        words.take()
        style = writer.style
        x += ink.width + writer.x_height * style.word_gap * np.exp(rng.normal(0, style.gap_spread))


def _break_word(
    writer: Writer, words: _Words, x: float, space: float, chance: float, rng: np.random.Generator
) -> list[Ink]:
    """Write as much of the next word as fits into `space`, with a hyphen; nothing if the word is not broken.

    A long word is broken with this `chance`. With `chance` 1, any word is broken at any place: no line holds it.
    """
    word = words.next
    forced = chance == 1.0
    if not forced and not (word.isalpha() and len(word) >= LONG_WORD and rng.random() < chance):
        return []
    places = range(1, len(word)) if forced else [at for at in range(3, len(word) - 2) if _may_hyphenate(word, at)]
    for at in reversed(places):
        ink = writer.write(word[:at] + "-", rng)
        if ink.width <= space:
            words.take_part(at)
            return [ink.moved(x, 0)]
    return []


def _may_hyphenate(word: str, at: int) -> bool:
    """Allow a hyphen after a vowel before a consonant and inside a double letter: close to English syllables."""
    vowels = "aeiouy"
    return (word[at - 1] in vowels and word[at] not in vowels) or word[at - 1] == word[at]


def _bend_lines(lines: list[list[Ink]], writer: Writer, sheet: Sheet, rng: np.random.Generator) -> list[list[Ink]]:
    """Bend and tilt every line a little, and tilt all lines together, as skewed paper in a scanner does."""
    style = writer.style
    waves = Waves(rng, len(lines), style.wander * writer.x_height, BASELINE_WAVE, 3)
    skew = rng.normal(0, 0.0025)
    out = []
    for index, line in enumerate(lines):
        slope = style.slope + rng.normal(0, style.slope_spread)
        start = line[0].points[:, 0].min()
        out.append([_bend(ink, waves, index, _Tilt(slope, start, skew, sheet.width / 2)) for ink in line])
    return out


@dataclass(frozen=True)
class _Tilt:
    """The tilt of a line about its `start` by `slope`, and of the page about its `middle` by `skew`."""

    slope: float
    start: float
    skew: float
    middle: float


def _bend(ink: Ink, waves: Waves, index: int, tilt: _Tilt) -> Ink:
    # The displacement depends on x alone, so that a descender moves with its letter.
    x = ink.points[:, 0]
    flat = np.stack([x, np.zeros_like(x)], axis=1)
    wander = waves.at(flat, np.full(len(x), index))[:, 1]
    down = wander + tilt.slope * (x - tilt.start) + tilt.skew * (x - tilt.middle)
    return replace(ink, points=(ink.points + np.stack([np.zeros_like(x), down], axis=1)).astype(np.float32))


def baselines(
    lines: list[list[Ink]], writer: Writer, sheet: Sheet, header: int, rng: np.random.Generator
) -> list[float]:
    """Return the y of each baseline. Lines start below the print, end above the foot, and close up to fit."""
    above = -min(float(ink.points[:, 1].min()) for ink in lines[0])
    below = max(float(ink.points[:, 1].max()) for ink in lines[-1])
    gaps = max(1, len(lines) - 1)
    space = sheet.foot - header - CLEAR - above - below
    pitch = min(writer.style.pitch, space / gaps)
    spare = space - pitch * (len(lines) - 1)
    first = header + CLEAR + above + rng.uniform(0, 0.6) * min(spare, writer.style.pitch)
    jitter = rng.normal(0, 0.02 * pitch, len(lines)) * min(1.0, spare / pitch)
    jitter[[0, -1]] = 0
    return [first + pitch * index + float(shift) for index, shift in enumerate(jitter)]
