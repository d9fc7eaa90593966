"""Words on lines: each line filled from margin to margin, as a person fills it. Lengths in pixels at 300 dpi."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from text_recognizer.data.synthetic.ink import Ink
from text_recognizer.data.synthetic.sheet import CLEAR, Sheet
from text_recognizer.data.synthetic.waves import Waves
from text_recognizer.data.synthetic.writer import Writer

EDGE = 20  # nothing is written nearer to the paper's edge
EARLY_END = 0.5  # share of forms of several lines whose last one stops before the margin
LONG_WORD = 7  # letters; shorter words are not broken
BASELINE_WAVE = 700


@dataclass(frozen=True)
class Layout:
    """`lines` hold the written words, x on the page, y from the line's own baseline; `words` the text unbroken."""

    lines: list[list[Ink]]
    words: list[str]


class _Words:
    """A stream of words whose first one can be looked at, taken, or taken in part."""

    def __init__(self, source: Iterator[str]) -> None:
        self.source = source
        self.next = next(source)
        self.taken: list[str] = []
        self.whole = True

    def take(self) -> None:
        self.take_part(len(self.next))
        self.next, self.whole = next(self.source), True

    def take_part(self, letters: int) -> None:
        if self.whole:
            self.taken.append(self.next)
        self.next, self.whole = self.next[letters:], False


def lay_out(writer: Writer, source: Iterator[str], sheet: Sheet, count: int, rng: np.random.Generator) -> Layout:
    """Fills `count` lines. The last may end early; a word too long for the room is broken with a hyphen."""
    left, right = sheet.margins(writer.style)
    words = _Words(source)
    lines = []
    for index in range(count):
        last = index == count - 1
        start = max(EDGE, left + writer.style.drift * index + rng.normal(0, 6))
        margin = min(sheet.width - EDGE, right + rng.normal(0, 18))
        early = last and count > 1 and rng.random() < EARLY_END
        end = start + (margin - start) * rng.uniform(0.3, 1) if early else margin
        lines.append(_line(writer, words, start, end, margin, 0.0 if last else writer.style.hyphens, rng))
    return Layout(_waver(lines, writer, sheet, rng), words.taken)


def _line(
    writer: Writer, words: _Words, start: float, end: float, margin: float, hyphens: float, rng: np.random.Generator
) -> list[Ink]:
    """Words from `start` on while they end before `end`; the first may go on to `margin`."""
    line: list[Ink] = []
    x = start
    while True:
        ink = writer.write(words.next, rng)
        room = (end if line else margin) - x
        if ink.width > room:
            return line + _broken(writer, words, x, room, hyphens if line else 1.0, rng)
        line.append(ink.moved(x, rng.normal(0, 0.02 * writer.x_height)))
        words.take()
        style = writer.style
        x += ink.width + writer.x_height * style.word_gap * np.exp(rng.normal(0, style.gap_spread))


def _broken(writer: Writer, words: _Words, x: float, room: float, chance: float, rng: np.random.Generator) -> list[Ink]:
    """As much of the next word as fits, with a hyphen; nothing where the writer would rather begin a new line.

    A word that no line holds must be broken (`chance` 1), wherever that falls.
    """
    word = words.next
    forced = chance == 1.0
    if not forced and not (word.isalpha() and len(word) >= LONG_WORD and rng.random() < chance):
        return []
    places = range(1, len(word)) if forced else [at for at in range(3, len(word) - 2) if _may_break(word, at)]
    for at in reversed(places):
        ink = writer.write(word[:at] + "-", rng)
        if ink.width <= room:
            words.take_part(at)
            return [ink.moved(x, 0)]
    return []


def _may_break(word: str, at: int) -> bool:
    """Between a vowel and a consonant, or inside a double letter: near enough to English syllables."""
    vowels = "aeiouy"
    return (word[at - 1] in vowels and word[at] not in vowels) or word[at - 1] == word[at]


def _waver(lines: list[list[Ink]], writer: Writer, sheet: Sheet, rng: np.random.Generator) -> list[list[Ink]]:
    """Bends and tilts every line a little, and all of them together as the paper lay in the scanner."""
    style = writer.style
    waves = Waves(rng, len(lines), style.wander * writer.x_height, BASELINE_WAVE, 3)
    skew = rng.normal(0, 0.0025)
    out = []
    for index, line in enumerate(lines):
        slope = style.slope + rng.normal(0, style.slope_spread)
        start = line[0].points[:, 0].min()
        out.append([_bent(ink, waves, index, slope, start, skew, sheet.width / 2) for ink in line])
    return out


def _bent(ink: Ink, waves: Waves, index: int, slope: float, start: float, skew: float, middle: float) -> Ink:
    # Only x is put in: ink of one word must move together, tails with their letters.
    x = ink.points[:, 0]
    flat = np.stack([x, np.zeros_like(x)], axis=1)
    down = waves.at(flat, np.full(len(x), index))[:, 1] + slope * (x - start) + skew * (x - middle)
    return replace(ink, points=(ink.points + np.stack([np.zeros_like(x), down], axis=1)).astype(np.float32))


def baselines(
    lines: list[list[Ink]], writer: Writer, sheet: Sheet, header: int, rng: np.random.Generator
) -> list[float]:
    """Where each line's baseline lies: below the print, all ink above the foot, closed up where room is short."""
    above = -min(float(ink.points[:, 1].min()) for ink in lines[0])
    below = max(float(ink.points[:, 1].max()) for ink in lines[-1])
    gaps = max(1, len(lines) - 1)
    room = sheet.foot - header - CLEAR - above - below
    pitch = min(writer.style.pitch, room / gaps)
    spare = room - pitch * (len(lines) - 1)
    first = header + CLEAR + above + rng.uniform(0, 0.6) * min(spare, writer.style.pitch)
    jitter = rng.normal(0, 0.02 * pitch, len(lines)) * min(1.0, spare / pitch)
    jitter[[0, -1]] = 0
    return [first + pitch * index + float(shift) for index, shift in enumerate(jitter)]
