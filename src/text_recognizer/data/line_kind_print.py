"""Print strips for the line classifier: many fonts, sizes and settings, as of books, receipts, formulas, displays."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from text_recognizer.data.line_kind_print_texts import printed_text
from text_recognizer.data.line_kind_strips import MAX_STRIP_WIDTH, KindStrip
from text_recognizer.inference.line_kind import PRINTED
from text_recognizer.pages.normalisation import PAPER
from text_recognizer.pages.strips import MARGIN, STRIP_HEIGHT
from text_recognizer.synthetic.prose import prose_by_split

FONT_SUFFIXES = (".ttf", ".otf", ".t1", ".pfb")
# Pixels of a font on a strip. Capitals alone, or a line without long letters, are enlarged more than others.
SIZES = (26, 84)
MAX_LETTERS = 90
INK = (0, 90)
SEED = 11
SEGMENTS = ("abcdef", "bc", "abged", "abgcd", "fgbc", "afgcd", "afgedc", "abc", "abcdefg", "abcfgd")  # of the digits


@dataclass(frozen=True)
class Setting:
    """How a line is set: its ink, the space between letters in pixels, an outline, a line under the text, and so on."""

    ink: int = 0
    spacing: float = 0.0
    stroke: int = 0
    hollow: bool = False
    underlined: bool = False
    formula: bool = False
    cells: bool = False
    dotted: int = 0

    @classmethod
    def draw(cls, size: int, rng: np.random.Generator) -> "Setting":
        """Choose a setting; half of the lines are plain."""
        chosen = int(rng.choice(8, p=(0.52, 0.1, 0.06, 0.04, 0.06, 0.1, 0.07, 0.05)))
        settings = (
            cls(),
            cls(spacing=size * rng.uniform(0.05, 0.9)),
            cls(stroke=int(rng.integers(1, 3))),
            cls(stroke=int(rng.integers(1, 4)), hollow=True),
            cls(underlined=True),
            cls(formula=True),
            cls(cells=True),
            cls(dotted=int(rng.integers(3, 7))),
        )
        return settings[chosen]


def has_latin(path: Path) -> bool:
    """Return whether a font can be read and draws Latin letters, each another shape."""
    try:
        font = ImageFont.truetype(str(path), 24)
        shapes = {bytes(font.getmask(letter)) for letter in "aeRg5\uffff"}
    except (OSError, ValueError):
        return False
    return len(shapes) == 6 and len(bytes(font.getmask("a"))) > 0


def printed_strips(fonts: list[Path], count: int, split: str) -> Iterator[KindStrip]:
    """Yield `count` printed strips; every font comes about as often. Some show the digits of a display."""
    rng = np.random.default_rng((SEED, *split.encode(), *b"print"))
    words = prose_by_split(SEED)[split].words(1, rng)
    usable = [path for path in fonts if has_latin(path)]
    for index in range(count if usable else 0):
        path = usable[index % len(usable)]
        if rng.random() < 0.02:
            yield KindStrip(display_strip(rng), PRINTED, "font/display")
            continue
        lines = [printed_text(words, rng)[: int(rng.integers(3, MAX_LETTERS))].strip() or "Page" for _ in range(3)]
        yield KindStrip(printed_strip(path, lines, rng), PRINTED, f"font/{path.stem}")


def printed_strip(path: Path, lines: list[str], rng: np.random.Generator) -> np.ndarray:
    """Print the second of three lines on a strip, uint8 (H, W), often with the others above and below it."""
    size = int(np.exp(rng.uniform(*np.log(SIZES))))
    font, setting = ImageFont.truetype(str(path), size), Setting.draw(size, rng)
    width = int(np.clip(_length(lines[1], font, setting) + 2 * MARGIN, 2 * MARGIN + 16, MAX_STRIP_WIDTH))
    picture = Image.new("L", (width, STRIP_HEIGHT), PAPER)
    draw, setting = ImageDraw.Draw(picture), replace(setting, ink=int(rng.integers(*INK)))
    ascent, descent = font.getmetrics()
    middle = STRIP_HEIGHT / 2 + rng.normal(0, 3) + 0.3 * size  # of the baseline
    pitch = (ascent + descent) * rng.uniform(0.85, 1.6)
    _set_line(draw, (MARGIN, middle), lines[1], font, setting, rng)
    for text, offset in ((lines[0], -pitch), (lines[2], pitch)):
        if rng.random() < 0.6:
            left = MARGIN + int(rng.choice((0, 0, int(rng.integers(-200, 60)))))
            _set_line(draw, (left, middle + offset), text, font, setting, rng)
    return _dotted(np.array(picture), setting.dotted)


def display_strip(rng: np.random.Generator) -> np.ndarray:
    """Draw digits of seven segments, as of clocks, scales and meters, uint8 (H, W)."""
    high, count = int(rng.integers(36, 74)), int(rng.integers(1, 9))
    wide, thick = int(high * rng.uniform(0.4, 0.7)), max(2, int(high * rng.uniform(0.06, 0.16)))
    gap, top = int(wide * rng.uniform(0.25, 0.7)), (STRIP_HEIGHT - high) // 2
    picture = Image.new("L", (2 * MARGIN + count * (wide + gap), STRIP_HEIGHT), PAPER)
    draw, lean, cut = ImageDraw.Draw(picture), float(rng.choice((0, 0.1, 0.2))), thick // 2 + 1
    ends = {
        "a": (0, 0, 1, 0), "b": (1, 0, 1, 1), "c": (1, 1, 1, 2), "d": (0, 2, 1, 2),
        "e": (0, 1, 0, 2), "f": (0, 0, 0, 1), "g": (0, 1, 1, 1),
    }  # fmt: skip
    for place in range(count):
        for segment in SEGMENTS[int(rng.integers(10))]:
            x0, y0, x1, y1 = (value * (wide, high / 2)[axis % 2] for axis, value in enumerate(ends[segment]))
            inset = np.sign([x1 - x0, y1 - y0]) * cut
            points = [(x0 + inset[0], y0 + inset[1]), (x1 - inset[0], y1 - inset[1])]
            left = MARGIN + place * (wide + gap)
            draw.line([(left + x + lean * (high - y), top + y) for x, y in points], fill=0, width=thick)
    return np.asarray(picture)


def _length(text: str, font: ImageFont.FreeTypeFont, setting: Setting) -> float:
    return font.getlength(text) * (1.5 if setting.cells else 1) + setting.spacing * len(text)


def _set_line(
    draw: ImageDraw.ImageDraw,
    place: tuple[float, float],
    text: str,
    font: ImageFont.FreeTypeFont,
    setting: Setting,
    rng: np.random.Generator,
) -> None:
    """Set a line from the left end of its baseline."""
    x, y = place
    fill = PAPER if setting.hollow else setting.ink
    for piece, after, raised in _pieces(text, font, setting, rng):
        small = font.font_variant(size=max(8, round(0.65 * font.size))) if raised else font
        at = (x, y - raised * font.size)
        draw.text(at, piece, fill, small, "ls", stroke_width=setting.stroke, stroke_fill=setting.ink)
        x += small.getlength(piece) + after
    if setting.underlined:
        draw.line((place[0], y + 6, x, y + 6), fill=setting.ink, width=int(rng.integers(1, 5)))


def _pieces(
    text: str, font: ImageFont.FreeTypeFont, setting: Setting, rng: np.random.Generator
) -> Iterator[tuple[str, float, float]]:
    """Yield the pieces of a line, the space after each in pixels, and by how much of the size it is raised."""
    if setting.spacing:
        yield from ((letter, setting.spacing, 0.0) for letter in text)
    elif setting.formula:
        for letter in text.replace(" ", "")[:24]:
            yield letter, 0.0, float(rng.choice((0.0, 0.0, 0.4, -0.25)))
            if rng.random() < 0.3:
                yield str(rng.choice(tuple("=+-<>/()*"))), float(font.size) * 0.15, 0.0
    elif setting.cells:
        yield from (
            (word + " ", float(rng.choice((0, 0, rng.uniform(1, 4)))) * font.size, 0.0) for word in text.split()
        )
    else:
        yield text, 0.0, 0.0


def _dotted(pixels: np.ndarray, pitch: int) -> np.ndarray:
    """Break the ink into dots, `pitch` pixels apart, as of a matrix printer or a newspaper; 0 leaves it."""
    if not pitch:
        return pixels
    y, x = np.indices(pixels.shape) % pitch - (pitch - 1) / 2
    dots: np.ndarray = np.where(y**2 + x**2 <= (0.5 * pitch) ** 2, pixels, PAPER).astype(np.uint8)
    return dots
