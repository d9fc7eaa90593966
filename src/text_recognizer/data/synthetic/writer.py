"""One writer: a hand made their own, and words written with it, no two alike."""

import string

import numpy as np

from text_recognizer.data.synthetic.ink import Ink
from text_recognizer.data.synthetic.plan import WriterPlan
from text_recognizer.data.synthetic.strokes import Glyph, Hand, load_hands
from text_recognizer.data.synthetic.style import Style, draw_style
from text_recognizer.data.synthetic.waves import Waves

# How far a letter may rise above the baseline or hang below it, in pixels at 300 dpi.
ABOVE, BELOW = 150.0, 110.0
LETTER_WAVE, INSTANCE_WAVE = 1.6, 1.1  # x-heights
EDGE = 0.25  # x-heights over which displacements fade at a joined letter's edges
QUOTES = "'\""
MARKS = ".,;:!?"
MARK_GAP = 0.22  # x-heights of paper between a letter and the mark after it, pen included
JOINABLE = frozenset(string.ascii_lowercase)
STEP_DPI = 300  # at this resolution each point of the strokes is kept


class Writer:
    """Writes words. The letters are shaped once, when the writer is made.

    `dpi` only says how finely curves are followed.
    """

    def __init__(self, plan: WriterPlan, seed: int, dpi: int) -> None:
        rng = np.random.default_rng((seed, *b"writer", plan.number))
        hands = load_hands()
        self.hand = hands[plan.hand]
        self.style = draw_style(rng, self.hand)
        self.sources = _sources(rng, self.hand, [hands[index] for index in plan.borrow])
        self.glyphs = _shaped(rng, self.hand, self.sources, self.style, max(1, round(STEP_DPI / dpi)))
        self.feet = {character: _feet(glyph) for character, glyph in self.glyphs.items()}
        top, bottom = _extent(self.glyphs)
        # The margin of a fifth is for what varies between instances.
        self.x_height = min(self.style.x_height, ABOVE / (1.2 * top), BELOW / (1.2 * bottom))

    def write(self, word: str, rng: np.random.Generator) -> Ink:
        """The word on a baseline at y = 0, its ink starting at x = 0."""
        glyphs = [self.glyphs[character] for character in word]
        strokes = np.array([len(glyph.lengths) for glyph in glyphs])
        letters = np.repeat(np.arange(len(word)), strokes)
        lengths = np.concatenate([glyph.lengths for glyph in glyphs])
        points = np.concatenate([glyph.points for glyph in glyphs])
        letter = np.repeat(letters, lengths)
        points = self._vary(points, letter, np.array([glyph.advance for glyph in glyphs]), rng)
        points[:, 0] += self._starts(word, rng)[letter]
        joins = self._joins(word, points, lengths, letters, rng)
        points = np.concatenate([points, *(curve for _, curve in joins)])
        lengths = np.concatenate([lengths, [len(curve) for _, curve in joins]]).astype(np.int64)
        letters = np.concatenate([letters, [index for index, _ in joins]]).astype(np.int64)
        points[:, 0] -= points[:, 0].min()
        return Ink(word, (points * self.x_height).astype(np.float32), lengths, letters)

    def _vary(
        self, points: np.ndarray, letter: np.ndarray, advance: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """Each letter a little different: bent, grown, turned about its middle, off the baseline."""
        style, count = self.style, len(advance)
        moves = Waves(rng, count, style.letter_change, INSTANCE_WAVE).at(points, letter)
        if self.hand.joined:
            moves *= _edge(points, advance[letter], 0.15)
        growth = np.clip(1 + rng.normal(0, style.growth, count), 0.85, 1.15)
        turn, bounce = rng.normal(0, style.turn, count), rng.normal(0, style.bounce, count)
        middle = np.stack([advance / 2, np.full(count, -0.4)], axis=1)[letter]
        x, y = (points + moves - middle).T
        cosine, sine = (np.cos(turn) * growth)[letter], (np.sin(turn) * growth)[letter]
        turned = np.stack([cosine * x - sine * y, sine * x + cosine * y + bounce[letter]], axis=1)
        return turned + middle

    def _starts(self, word: str, rng: np.random.Generator) -> np.ndarray:
        """Where each letter's left edge lies, in x-heights."""
        starts: list[float] = []
        x = 0.0
        for previous, character in zip(" " + word, word, strict=False):
            if previous in QUOTES or character in QUOTES:
                x += 0.10
            elif starts and self.sources[previous] is self.sources[character]:
                x += self.sources[character].kerning.get(previous + character, 0.0) * self.style.width
            if starts and not self.hand.joined:
                x += self.style.tracking + rng.normal(0, 0.035)
            if starts and character in MARKS:
                # The fonts let a joined letter's tail run into the mark; a person lifts the pen first.
                x = max(x, starts[-1] + self.feet[previous][1] + MARK_GAP - self.feet[character][0])
            starts.append(x)
            x += self.glyphs[character].advance
        return np.array(starts)

    def _joins(
        self, word: str, points: np.ndarray, lengths: np.ndarray, letters: np.ndarray, rng: np.random.Generator
    ) -> list[tuple[int, np.ndarray]]:
        """Light strokes from letter to letter that some writers of unjoined hands make: (letter, its curve)."""
        if not self.style.joining:
            return []
        last = np.cumsum(lengths) - 1
        first = last - lengths + 1
        joins = []
        for index in range(1, len(word)):
            if not JOINABLE.issuperset(word[index - 1 : index + 1]) or rng.random() >= self.style.joining:
                continue
            before, after = letters == index - 1, letters == index
            start = max(points[np.concatenate([first[before], last[before]])], key=lambda p: p[0] - 0.25 * abs(p[1]))
            end = min(points[np.concatenate([first[after], last[after]])], key=lambda p: p[0] + 0.15 * abs(p[1] + 0.6))
            if _can_join(start, end):
                joins.append((index - 1, _join(start, end)))
        return joins


def _can_join(start: np.ndarray, end: np.ndarray) -> bool:
    across, down = end - start
    return bool(
        -0.05 < across < 0.75 and abs(down) < 0.95 and -1.15 < start[1] < 0.2 and -1.2 < end[1] < 0.15
    )  # fmt: skip


def _join(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """A cubic Bezier curve that sags a little below the straight way."""
    across, down = end - start
    near = start + np.array([across * 0.45, 0.12 if start[1] > -0.5 else 0.10])
    far = end - np.array([across * 0.35, -0.06])
    t = np.linspace(0, 1, max(4, int(np.hypot(across, down) / 0.1)))[:, None]
    return (1 - t) ** 3 * start + 3 * (1 - t) ** 2 * t * near + 3 * (1 - t) * t**2 * far + t**3 * end


def _sources(rng: np.random.Generator, hand: Hand, lenders: list[Hand]) -> dict[str, Hand]:
    """Whose letter each character is: most the hand's own, some borrowed from one other hand of the same kind.

    Joined hands lend each other no small letters, for those would not meet.
    """
    alike = [other for other in lenders if other is not hand and other.joined == hand.joined]
    if not alike:
        return dict.fromkeys(hand.glyphs, hand)
    lender = alike[int(rng.integers(len(alike)))]
    small = 0.0 if hand.joined else float(rng.choice([0, 0.15, 0.3]))
    draws = rng.random(len(hand.glyphs))
    return {
        character: lender if draw < (small if character.islower() else 0.35) else hand
        for character, draw in zip(hand.glyphs, draws, strict=True)
    }


def _shaped(
    rng: np.random.Generator, hand: Hand, sources: dict[str, Hand], style: Style, stride: int
) -> dict[str, Glyph]:
    """The writer's own alphabet, in x-heights: bent, stretched, slanted and smoothed; every `stride`-th point kept."""
    glyphs = [source.glyphs[character] for character, source in sources.items()]
    sizes = [len(glyph.points) for glyph in glyphs]
    points, letter = np.concatenate([glyph.points for glyph in glyphs]), np.repeat(np.arange(len(glyphs)), sizes)
    advance = np.array([glyph.advance for glyph in glyphs])
    moves = Waves(rng, len(glyphs), style.letter_shape, LETTER_WAVE).at(points, letter)
    stretch, shear = 1 + rng.normal(0, 0.04, len(glyphs)), rng.normal(0, 0.03, len(glyphs))
    if hand.joined:
        points = points + moves * _edge(points, advance[letter], 0)
    else:
        points = points + moves
        middle = (advance / 2)[letter]
        points[:, 0] = (points[:, 0] - middle) * stretch[letter] + middle - shear[letter] * points[:, 1]
    points = _slanted(points, style)
    smoothing = style.smoothing * (0.5 if hand.ascender > 2.4 else 1)
    parts = np.split(points, np.cumsum(sizes)[:-1])
    return {
        character: _finished(glyph, part, style.width, smoothing, stride)
        for character, glyph, part in zip(sources, glyphs, parts, strict=True)
    }


def _slanted(points: np.ndarray, style: Style) -> np.ndarray:
    """Ascenders and descenders stretched, then everything leant over and widened."""
    x, y = points.T
    y = np.where(y < -1, (y + 1) * style.reach - 1, np.where(y > 0, y * style.reach, y))
    return np.stack([(x - style.slant * y) * style.width, y], axis=1)


def _finished(glyph: Glyph, points: np.ndarray, width: float, smoothing: float, stride: int) -> Glyph:
    strokes = []
    for stroke in np.split(points, np.cumsum(glyph.lengths)[:-1]):
        # Narrow letters lose their shape first, so they are smoothed less.
        smooth = _smooth(stroke, smoothing * float(np.clip(np.ptp(stroke[:, 0]) / 0.9, 0.25, 1)))
        strokes.append(np.concatenate([smooth[:-1:stride], smooth[-1:]]))
    lengths = np.array([len(stroke) for stroke in strokes])
    return Glyph(glyph.advance * width, np.concatenate(strokes).astype(np.float32), lengths)


def _smooth(stroke: np.ndarray, sigma: float) -> np.ndarray:
    """Gaussian smoothing along the stroke, `sigma` in points; ends stay where they are, closed loops stay closed."""
    if sigma < 0.3 or len(stroke) < 5:
        return stroke
    reach = min(int(3 * sigma) + 1, len(stroke) - 1)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel /= kernel.sum()
    if np.hypot(*(stroke[0] - stroke[-1])) < 0.02 and len(stroke) > 12:
        before, after = stroke[-1 - reach : -1], stroke[1 : 1 + reach]
    else:
        before = 2 * stroke[0] - stroke[1 : 1 + reach][::-1]
        after = 2 * stroke[-1] - stroke[-1 - reach : -1][::-1]
    padded = np.concatenate([before, stroke, after])
    return np.stack([np.convolve(padded[:, axis], kernel, "valid") for axis in (0, 1)], axis=1)


def _edge(points: np.ndarray, advance: np.ndarray, least: float) -> np.ndarray:
    """1 inside a letter, down to `least` at its left and right edge, (n, 1): joins must hold."""
    inside = np.minimum(points[:, 0], advance - points[:, 0])
    return np.clip(inside / EDGE, least, 1)[:, None]


def _feet(glyph: Glyph) -> tuple[float, float]:
    """Left and right end of a letter's ink near the baseline, in x-heights; its left edge where it has none there."""
    low = glyph.points[np.abs(glyph.points[:, 1]) < 0.6, 0]
    return (float(low.min()), float(low.max())) if len(low) else (0.0, 0.0)


def _extent(glyphs: dict[str, Glyph]) -> tuple[float, float]:
    """How far the letters reach above the baseline and below it, in x-heights."""
    points = np.concatenate([glyph.points for glyph in glyphs.values()])
    return float(-points[:, 1].min()), float(points[:, 1].max())
