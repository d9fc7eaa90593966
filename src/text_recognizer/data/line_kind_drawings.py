"""Draw strips for the line classifier: print in many fonts, writing of synthetic writers, patterns without text."""

import string
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from text_recognizer.core.params import SyntheticSection
from text_recognizer.corpora.iam import SCAN_DPI
from text_recognizer.data.line_kind_strips import MAX_STRIP_WIDTH, KindStrip
from text_recognizer.inference.line_kind import NONE, PRINTED, WRITTEN
from text_recognizer.pages.line_building import TextLine
from text_recognizer.pages.strips import MARGIN, STRIP_HEIGHT, rectify
from text_recognizer.pages.text_detection import TextBox
from text_recognizer.synthetic.form import FormRecipe, SyntheticForm, draw_form
from text_recognizer.synthetic.plan import plan
from text_recognizer.synthetic.prose import prose_by_split
from text_recognizer.synthetic.sheet import make_sheet
from text_recognizer.synthetic.writer import Writer

FONT_SUFFIXES = (".ttf", ".otf", ".t1", ".pfb")
LABELS = (
    "Name:",
    "Date",
    "No.",
    "Page",
    "Address",
    "Total",
    "Signature",
    "Class",
    "Question",
    "Score",
    "Figure",
    "TO:",
)
SIZES = (28, 54)  # pixels of a font on a strip
PAPER, INK = 255, (0, 90)
SEED = 11
FORMS: dict[str, int] = {
    "seed": SEED,
    "validation_forms": 20,
    "test_forms": 1,
    "forms_per_writer": 1,
    "page_width": 1800,
    "page_height": 1500,
    "lines_min": 4,
    "lines_max": 6,
    "dpi": 150,
}  # fmt: skip


def has_latin(path: Path) -> bool:
    """Return whether a font can be read and draws Latin letters, each another shape."""
    try:
        font = ImageFont.truetype(str(path), 24)
        shapes = {bytes(font.getmask(letter)) for letter in "aeRg5\uffff"}
    except (OSError, ValueError):
        return False
    return len(shapes) == 6 and len(bytes(font.getmask("a"))) > 0


def printed_strip(path: Path, text: str, rng: np.random.Generator) -> KindStrip:
    """Print a text on a strip, often with lines of it above and below, as on a page."""
    font = ImageFont.truetype(str(path), int(rng.integers(*SIZES)))
    text = text[: int(rng.integers(3, 90))].strip() or "Page"
    left, top, right, bottom = font.getbbox(text)
    width = int(np.clip(right - left + 2 * MARGIN, 2 * MARGIN + 16, MAX_STRIP_WIDTH))
    picture = Image.new("L", (width, STRIP_HEIGHT), PAPER)
    draw, ink = ImageDraw.Draw(picture), int(rng.integers(*INK))
    y = (STRIP_HEIGHT - (bottom - top)) / 2 - top + rng.normal(0, 3)
    pitch = (bottom - top) * rng.uniform(1.05, 2.0)
    draw.text((MARGIN - left, y), text, fill=ink, font=font)
    for offset in (-pitch, pitch):
        if rng.random() < 0.6:
            draw.text((MARGIN - left, y + offset), "".join(rng.permutation(list(text))), fill=ink, font=font)
    return KindStrip(np.asarray(picture), PRINTED, f"font/{path.stem}")


def printed_text(words: Iterator[str], rng: np.random.Generator) -> str:
    """Return a line of print: prose, capitals, numbers, or the label of a field."""
    text = " ".join(next(words) for _ in range(int(rng.integers(1, 14))))
    chance = rng.random()
    if chance < 0.15:
        return text.upper()
    if chance < 0.25:
        return " ".join(str(rng.integers(0, 10 ** int(rng.integers(1, 6)))) for _ in range(int(rng.integers(1, 8))))
    if chance < 0.35:
        return str(rng.choice(LABELS)) + str(
            rng.choice(("", " ....................", " ______________", f" {text[:12]}"))
        )
    if chance < 0.40:
        letters = list(string.ascii_letters + string.digits + string.punctuation)
        return "".join(rng.choice(letters, int(rng.integers(2, 30))))
    return text


def printed_strips(fonts: list[Path], count: int, split: str) -> Iterator[KindStrip]:
    """Yield `count` printed strips; every font comes about as often."""
    rng = np.random.default_rng((SEED, *split.encode(), *b"print"))
    words = prose_by_split(SEED)[split].words(1, rng)
    usable = [path for path in fonts if has_latin(path)]
    for index in range(count if usable else 0):
        yield printed_strip(usable[index % len(usable)], printed_text(words, rng), rng)


def written_strips(forms: int, split: str) -> Iterator[KindStrip]:
    """Yield the lines of synthetic forms, each by a writer of its own; `forms` counts those of the training split."""
    section = SyntheticSection(train_forms=forms, **FORMS)
    recipe = FormRecipe(make_sheet(section), section.seed, (section.lines_min, section.lines_max))
    rng = np.random.default_rng((section.seed, *split.encode(), *b"written"))
    for writer in (writer for writer in plan(section) if writer.split == split):
        form = draw_form(Writer(writer, section.seed, section.dpi), writer, writer.forms[0], recipe)
        lines = [_line_of(form, index, rng) for index in range(len(form.lines))]
        for strip in rectify(form.picture, lines):
            yield KindStrip(np.ascontiguousarray(strip.pixels[:, :MAX_STRIP_WIDTH]), WRITTEN, f"synthetic/{writer.id}")


def _line_of(form: SyntheticForm, index: int, rng: np.random.Generator) -> TextLine:
    boxes = [box for token in form.lines[index].tokens for box in token.boxes]
    edges = np.array([(box.x, box.y, box.right, box.bottom) for box in boxes]) * FORMS["dpi"] / SCAN_DPI
    left, right = edges[:, 0].min(), edges[:, 2].max()
    # Long ascenders of a few letters do not make a detector's box higher.
    top, bottom = np.percentile(edges[:, 1], 20), np.percentile(edges[:, 3], 80)
    height = (bottom - top) * 1.25 * np.exp(rng.normal(0, 0.1))
    x, y = (left + right) / 2, (top + bottom) / 2
    return TextLine((TextBox(float(x), float(y), float(right - left), float(height), 0.0, 1.0),))


def pattern_strips(count: int, split: str) -> Iterator[KindStrip]:
    """Yield `count` strips of rules, grids, staves, noise, gradients, shapes and charts: nothing to read."""
    rng = np.random.default_rng((SEED, *split.encode(), *b"patterns"))
    for index in range(count):
        draw = PATTERNS[index % len(PATTERNS)]
        strip = np.full((STRIP_HEIGHT, int(rng.integers(96, 900))), PAPER, dtype=np.uint8)
        draw(strip, rng)
        yield KindStrip(strip, NONE, f"pattern/{draw.__name__}")


def draw_rules(strip: np.ndarray, rng: np.random.Generator) -> None:
    """Draw level lines, and upright ones in half of the cases, in place."""
    step, width = int(rng.integers(10, 70)), int(rng.integers(1, 4))
    grey = int(rng.integers(0, 190))
    strip[np.arange(STRIP_HEIGHT) % step < width] = grey
    if rng.random() < 0.5:
        strip[:, (np.arange(strip.shape[1]) + int(rng.integers(step))) % step < width] = grey


def draw_dots(strip: np.ndarray, rng: np.random.Generator) -> None:
    """Draw a grid of dots, or one dotted or dashed line, in place."""
    step, radius = int(rng.integers(6, 40)), int(rng.integers(1, 5))
    rows = range(step // 2, STRIP_HEIGHT, step) if rng.random() < 0.5 else [STRIP_HEIGHT // 2]
    for y in rows:
        for x in range(step // 2, strip.shape[1], step):
            cv2.circle(strip, (x, y), radius, int(rng.integers(0, 120)), -1)


def draw_staves(strip: np.ndarray, rng: np.random.Generator) -> None:
    """Draw five lines with notes on them, in place."""
    gap, top = int(rng.integers(5, 14)), int(rng.integers(5, 40))
    for line in range(5):
        strip[min(STRIP_HEIGHT - 1, top + line * gap)] = 0
    x = int(rng.integers(10, 40))
    while x < strip.shape[1] - 10:
        y = top + int(rng.integers(0, 9)) * gap // 2
        cv2.ellipse(strip, (x, y), (max(2, gap * 2 // 3), max(1, gap // 2)), -20, 0, 360, 0, int(rng.choice((-1, 2))))
        cv2.line(strip, (x + gap * 2 // 3, y), (x + gap * 2 // 3, y - 3 * gap), 0, 1)
        x += int(rng.integers(gap, 8 * gap))


def draw_noise(strip: np.ndarray, rng: np.random.Generator) -> None:
    """Fill the strip with noise of some scale, in place."""
    scale = int(rng.integers(1, 30))
    small = rng.normal(180, 60, (STRIP_HEIGHT // scale + 2, strip.shape[1] // scale + 2)).clip(0, 255).astype(np.uint8)
    strip[:] = cv2.resize(small, strip.shape[::-1], interpolation=cv2.INTER_CUBIC)


def draw_shapes(strip: np.ndarray, rng: np.random.Generator) -> None:
    """Draw long curves, boxes, circles and arrows, in place."""
    height, width = strip.shape
    for _ in range(int(rng.integers(1, 7))):
        first, second = (tuple(map(int, rng.integers((-20, -40), (width + 20, height + 40)))) for _ in range(2))
        grey, thick = int(rng.integers(0, 130)), int(rng.integers(1, 7))
        kind = rng.integers(4)
        if kind == 0:
            cv2.rectangle(strip, first, second, grey, thick)
        elif kind == 1:
            cv2.circle(strip, first, int(rng.integers(8, 200)), grey, thick)
        elif kind == 2:
            cv2.arrowedLine(strip, first, second, grey, thick)
        else:
            x = np.linspace(0, width, 60)
            y = height / 2 + rng.uniform(5, 60) * np.sin(x / rng.uniform(20, 200) + rng.uniform(0, 6))
            cv2.polylines(strip, [np.stack([x, y], axis=1).astype(np.int32)], False, grey, thick)


def draw_bars(strip: np.ndarray, rng: np.random.Generator) -> None:
    """Draw the bars of a chart, a barcode, or the keys of a keyboard, in place."""
    x, keys = 4, rng.random() < 0.5
    pitch = int(rng.integers(4, 70))
    while x < strip.shape[1] - 8:
        wide = pitch if keys else int(rng.integers(2, pitch + 2))
        top = 12 if keys else int(rng.integers(0, 80))
        fill = -1 if rng.random() < 0.5 or not keys else 2
        cv2.rectangle(strip, (x, top), (x + wide, STRIP_HEIGHT - 8), int(rng.integers(0, 150)), fill)
        x += wide + int(rng.integers(2, 14))


def draw_texture(strip: np.ndarray, rng: np.random.Generator) -> None:
    """Draw many short strokes, as of grass, hair or wood, in place."""
    angle, length = rng.uniform(0, np.pi), rng.uniform(5, 60)
    step = np.array([np.cos(angle), np.sin(angle)]) * length
    for _ in range(strip.shape[1] // 4):
        start = rng.uniform((0, 0), strip.shape[::-1])
        end = start + step * rng.normal(1, 0.2, 2)
        cv2.line(
            strip, tuple(map(int, start)), tuple(map(int, end)), int(rng.integers(0, 200)), int(rng.integers(1, 4))
        )


PATTERNS = (draw_rules, draw_dots, draw_staves, draw_noise, draw_shapes, draw_bars, draw_texture)
