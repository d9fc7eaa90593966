"""A writer: a style applied to a source font. The writer writes words, and no two instances of a word are alike."""

import string

import numpy as np

from text_recognizer.synthetic.ink import Ink
from text_recognizer.synthetic.plan import WriterPlan
from text_recognizer.synthetic.strokes import Glyph, SourceFont, load_source_fonts
from text_recognizer.synthetic.style import Style, sample_style
from text_recognizer.synthetic.waves import Waves

# The greatest height of a letter above the baseline and depth below it, in pixels at 300 dpi.
ABOVE, BELOW = 150.0, 110.0
LETTER_WAVE, INSTANCE_WAVE = 1.6, 1.1  # x-heights
EDGE = 0.25  # x-heights over which displacements fade out at the edges of a joined letter
QUOTES = "'\""
MARKS = ".,;:!?"
MARK_GAP = 0.22  # x-heights between a letter and the mark after it, pen width included
JOINABLE = frozenset(string.ascii_lowercase)
STEP_DPI = 300  # the resolution at which every point of the strokes is kept


class Writer:
    """A writer of the synthetic forms. The letters are shaped once, when the writer is made.

    `dpi` sets only how many points of the curves are kept.
    """

    def __init__(self, plan: WriterPlan, seed: int, dpi: int) -> None:
        rng = np.random.default_rng((seed, *b"writer", plan.number))
        fonts = load_source_fonts()
        self.font = fonts[plan.font]
        self.style = sample_style(rng, self.font)
        self.letter_fonts = _assign_fonts(rng, self.font, [fonts[index] for index in plan.lenders])
        self.glyphs = _shape_letters(rng, self.font, self.letter_fonts, self.style, max(1, round(STEP_DPI / dpi)))
        self.feet = {character: _feet(glyph) for character, glyph in self.glyphs.items()}
        top, bottom = _extent(self.glyphs)
        # Instances of a letter vary, so a fifth is left as a margin.
        self.x_height = min(self.style.x_height, ABOVE / (1.2 * top), BELOW / (1.2 * bottom))

    def write(self, word: str, rng: np.random.Generator) -> Ink:
        """Write a word. Its baseline lies at y = 0 and its leftmost point at x = 0."""
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
        """Bend, scale, rotate and shift each letter a little, so that no two instances are alike."""
        style, count = self.style, len(advance)
        moves = Waves(rng, count, style.letter_change, INSTANCE_WAVE).at(points, letter)
        if self.font.joined:
            moves *= _edge(points, advance[letter], 0.15)
        growth = np.clip(1 + rng.normal(0, style.growth, count), 0.85, 1.15)
        turn, bounce = rng.normal(0, style.turn, count), rng.normal(0, style.bounce, count)
        middle = np.stack([advance / 2, np.full(count, -0.4)], axis=1)[letter]
        x, y = (points + moves - middle).T
        cosine, sine = (np.cos(turn) * growth)[letter], (np.sin(turn) * growth)[letter]
        turned = np.stack([cosine * x - sine * y, sine * x + cosine * y + bounce[letter]], axis=1)
        varied: np.ndarray = turned + middle
        return varied

    def _starts(self, word: str, rng: np.random.Generator) -> np.ndarray:
        """Return the x of each letter's left edge, in x-heights."""
        starts: list[float] = []
        x = 0.0
        for previous, character in zip(" " + word, word, strict=False):
            if previous in QUOTES or character in QUOTES:
                x += 0.10
            elif starts and self.letter_fonts[previous] is self.letter_fonts[character]:
                x += self.letter_fonts[character].kerning.get(previous + character, 0.0) * self.style.width
            if starts and not self.font.joined:
                x += self.style.tracking + rng.normal(0, 0.035)
            if starts and character in MARKS:
                # In the fonts the tail of a joined letter runs into the mark. A person lifts the pen first.
                x = max(x, starts[-1] + self.feet[previous][1] + MARK_GAP - self.feet[character][0])
            starts.append(x)
            x += self.glyphs[character].advance
        return np.array(starts)

    def _joins(
        self, word: str, points: np.ndarray, lengths: np.ndarray, letters: np.ndarray, rng: np.random.Generator
    ) -> list[tuple[int, np.ndarray]]:
        """Return the strokes that join letters of an unjoined font: the index of the first letter, and the curve."""
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
    """Return a cubic Bezier curve that sags a little below the straight line."""
    across, down = end - start
    near = start + np.array([across * 0.45, 0.12 if start[1] > -0.5 else 0.10])
    far = end - np.array([across * 0.35, -0.06])
    t = np.linspace(0, 1, max(4, int(np.hypot(across, down) / 0.1)))[:, None]
    curve: np.ndarray = (1 - t) ** 3 * start + 3 * (1 - t) ** 2 * t * near + 3 * (1 - t) * t**2 * far + t**3 * end
    return curve


def _assign_fonts(rng: np.random.Generator, font: SourceFont, lenders: list[SourceFont]) -> dict[str, SourceFont]:
    """Return the font of each character: mostly the writer's own, some from one other font of the same kind.

    Joined fonts lend each other no small letters, because those would not join.
    """
    alike = [other for other in lenders if other is not font and other.joined == font.joined]
    if not alike:
        return dict.fromkeys(font.glyphs, font)
    lender = alike[int(rng.integers(len(alike)))]
    small = 0.0 if font.joined else float(rng.choice([0, 0.15, 0.3]))
    draws = rng.random(len(font.glyphs))
    return {
        character: lender if draw < (small if character.islower() else 0.35) else font
        for character, draw in zip(font.glyphs, draws, strict=True)
    }


def _shape_letters(
    rng: np.random.Generator, font: SourceFont, letter_fonts: dict[str, SourceFont], style: Style, stride: int
) -> dict[str, Glyph]:
    """Return the writer's letters, in x-heights: bent, stretched, slanted and smoothed.

    Every `stride`-th point is kept.
    """
    glyphs = [source.glyphs[character] for character, source in letter_fonts.items()]
    sizes = [len(glyph.points) for glyph in glyphs]
    points, letter = (
        np.concatenate([glyph.points for glyph in glyphs]),
        np.repeat(np.arange(len(glyphs)), sizes),
    )
    advance = np.array([glyph.advance for glyph in glyphs])
    moves = Waves(rng, len(glyphs), style.letter_shape, LETTER_WAVE).at(points, letter)
    stretch, shear = 1 + rng.normal(0, 0.04, len(glyphs)), rng.normal(0, 0.03, len(glyphs))
    if font.joined:
        points = points + moves * _edge(points, advance[letter], 0)
    else:
        points = points + moves
        middle = (advance / 2)[letter]
        points[:, 0] = (points[:, 0] - middle) * stretch[letter] + middle - shear[letter] * points[:, 1]
    points = _slant(points, style)
    smoothing = style.smoothing * (0.5 if font.ascender > 2.4 else 1)
    parts = np.split(points, np.cumsum(sizes)[:-1])
    return {
        character: _finish(glyph, part, style.width, smoothing, stride)
        for character, glyph, part in zip(letter_fonts, glyphs, parts, strict=True)
    }


def _slant(points: np.ndarray, style: Style) -> np.ndarray:
    """Stretch ascenders and descenders, then slant and widen all points."""
    x, y = points.T
    y = np.where(y < -1, (y + 1) * style.reach - 1, np.where(y > 0, y * style.reach, y))
    return np.stack([(x - style.slant * y) * style.width, y], axis=1)


def _finish(glyph: Glyph, points: np.ndarray, width: float, smoothing: float, stride: int) -> Glyph:
    strokes = []
    for stroke in np.split(points, np.cumsum(glyph.lengths)[:-1]):
        # Narrow letters lose their shape first, so they are smoothed less.
        smooth = _smooth(stroke, smoothing * float(np.clip(np.ptp(stroke[:, 0]) / 0.9, 0.25, 1)))
        strokes.append(np.concatenate([smooth[:-1:stride], smooth[-1:]]))
    lengths = np.array([len(stroke) for stroke in strokes])
    return Glyph(glyph.advance * width, np.concatenate(strokes).astype(np.float32), lengths)


def _smooth(stroke: np.ndarray, sigma: float) -> np.ndarray:
    """Smooth a stroke with a Gaussian of `sigma` points. Ends keep their place and closed loops stay closed."""
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
    """Return factors (n, 1): 1 inside a letter, `least` at its left and right edge, so that joins stay closed."""
    inside = np.minimum(points[:, 0], advance - points[:, 0])
    factors: np.ndarray = np.clip(inside / EDGE, least, 1)[:, None]
    return factors


def _feet(glyph: Glyph) -> tuple[float, float]:
    """Return the leftmost and rightmost x of a letter near the baseline; (0, 0) if it has no points there."""
    low = glyph.points[np.abs(glyph.points[:, 1]) < 0.6, 0]
    return (float(low.min()), float(low.max())) if len(low) else (0.0, 0.0)


def _extent(glyphs: dict[str, Glyph]) -> tuple[float, float]:
    """Return how far the letters reach above the baseline and below it, in x-heights."""
    points = np.concatenate([glyph.points for glyph in glyphs.values()])
    return float(-points[:, 1].min()), float(points[:, 1].max())
