"""One form, from its plan to its picture and its labels."""

from dataclasses import dataclass

import cv2
import numpy as np

from text_recognizer.data.iam import Box
from text_recognizer.data.synthetic.ink import Ink
from text_recognizer.data.synthetic.layout import Layout, baselines, lay_out
from text_recognizer.data.synthetic.paper import print_form, scan, wrap_prompt
from text_recognizer.data.synthetic.pen import boxes, draw
from text_recognizer.data.synthetic.plan import WriterPlan, form_id
from text_recognizer.data.synthetic.prose import prose_of
from text_recognizer.data.synthetic.sheet import Sheet
from text_recognizer.data.synthetic.writer import Writer


@dataclass(frozen=True)
class Token:
    """A word or a mark as IAM counts them, with the boxes of its pieces of ink."""

    text: str
    boxes: tuple[Box, ...]


@dataclass(frozen=True)
class WrittenLine:
    """`text` is what was written, word by word with single spaces; `baseline` in pixels at 300 dpi."""

    text: str
    tokens: tuple[Token, ...]
    baseline: int


@dataclass(frozen=True)
class DrawnForm:
    """`picture` is uint8 (H, W), dark ink on light paper; boxes are in pixels at 300 dpi."""

    id: str
    writer: str
    part: str
    prompt: tuple[str, ...]
    lines: tuple[WrittenLine, ...]
    picture: np.ndarray


def draw_form(
    writer: Writer, plan: WriterPlan, number: int, seed: int, sheet: Sheet, lines: tuple[int, int]
) -> DrawnForm:
    """Form `number`, with a number of lines between the two given: a function of the seed and the plan alone."""
    rng = np.random.default_rng((seed, *b"form", number))
    layout = compose(writer, plan, number, seed, sheet, lines)
    prompt = wrap_prompt(sheet, layout.words)
    hand = np.zeros(sheet.shape, dtype=np.uint8)
    base = baselines(layout.lines, writer, sheet, sheet.header(len(prompt)), rng)
    written = tuple(_write(hand, line, y, writer, sheet, rng) for line, y in zip(layout.lines, base, strict=True))
    lowest = max(box.bottom for token in written[-1].tokens for box in token.boxes)
    printed = print_form(sheet, form_id(number), prompt, lowest)
    picture = scan(hand, printed, writer.style, sheet.scale, rng)
    return DrawnForm(form_id(number), plan.id, plan.part, tuple(prompt), written, picture)


def compose(writer: Writer, plan: WriterPlan, number: int, seed: int, sheet: Sheet, lines: tuple[int, int]) -> Layout:
    """What form `number` says, and where its words stand in their lines; nothing is drawn yet."""
    rng = np.random.default_rng((seed, *b"text", number))
    source = prose_of(seed)[plan.split].words(number, rng)
    return lay_out(writer, source, sheet, int(rng.integers(lines[0], lines[1] + 1)), rng)


def _write(
    page: np.ndarray, line: list[Ink], y: float, writer: Writer, sheet: Sheet, rng: np.random.Generator
) -> WrittenLine:
    """Draws one line on the page, in place, token by token."""
    inks = [token for word in line for token in word.moved(0, y).tokens()]
    tokens = [Token(ink.text, _set_down(page, *draw(ink, writer.style, sheet.scale, rng), sheet)) for ink in inks]
    return WrittenLine(" ".join(word.text for word in line), tuple(tokens), round(y))


def _set_down(page: np.ndarray, patch: np.ndarray, left: int, top: int, sheet: Sheet) -> tuple[Box, ...]:
    """Lays a patch of coverage on the page, in place; returns the boxes of its ink. What lies off the page is cut."""
    x, y = max(0, left), max(0, top)
    visible = patch[y - top : page.shape[0] - top, x - left : page.shape[1] - left]
    part = page[y : y + visible.shape[0], x : x + visible.shape[1]]
    cv2.max(part, visible, dst=part)
    return tuple(_inside(box, sheet) for box in boxes(visible, x, y, sheet.scale))


def _inside(box: Box, sheet: Sheet) -> Box:
    """Boxes are rounded outwards, which may take them past the paper's edge by a pixel."""
    return Box(box.x, box.y, min(box.right, sheet.width) - box.x, min(box.bottom, sheet.height) - box.y)
