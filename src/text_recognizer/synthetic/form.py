"""One synthetic form, from its plan to its picture and its labels."""

from dataclasses import dataclass

import cv2
import numpy as np

from text_recognizer.core.geometry import Box
from text_recognizer.synthetic.ink import Ink
from text_recognizer.synthetic.paper import print_form, scan, wrap_prompt
from text_recognizer.synthetic.pen import draw_ink, ink_boxes
from text_recognizer.synthetic.plan import WriterPlan, form_id
from text_recognizer.synthetic.prose import prose_by_split
from text_recognizer.synthetic.sheet import Sheet
from text_recognizer.synthetic.text_layout import TextLayout, baselines, lay_out
from text_recognizer.synthetic.writer import Writer


@dataclass(frozen=True)
class FormRecipe:
    """What all forms of a data set share: the sheet, the seed, and the least and the greatest number of lines."""

    sheet: Sheet
    seed: int
    lines: tuple[int, int]


@dataclass(frozen=True)
class Token:
    """A word or a punctuation mark, split as IAM splits lines, with a box around each connected piece of ink."""

    text: str
    boxes: tuple[Box, ...]


@dataclass(frozen=True)
class WrittenLine:
    """One line: its text with single spaces, its tokens, and the y of its baseline in pixels at 300 dpi."""

    text: str
    tokens: tuple[Token, ...]
    baseline: int


@dataclass(frozen=True)
class SyntheticForm:
    """A drawn form. `picture` is uint8 (H, W), dark ink on light paper; boxes are in pixels at 300 dpi."""

    id: str
    writer: str
    part: str
    prompt: tuple[str, ...]
    lines: tuple[WrittenLine, ...]
    picture: np.ndarray


def draw_form(writer: Writer, plan: WriterPlan, number: int, recipe: FormRecipe) -> SyntheticForm:
    """Draw form `number`. The result is a function of the recipe, the plan and the number."""
    sheet = recipe.sheet
    rng = np.random.default_rng((recipe.seed, *b"form", number))
    layout = compose(writer, plan, number, recipe)
    prompt = wrap_prompt(sheet, layout.words)
    handwriting = np.zeros(sheet.shape, dtype=np.uint8)
    base = baselines(layout.lines, writer, sheet, sheet.header(len(prompt)), rng)
    written = tuple(
        _write_line(handwriting, line, y, writer, sheet, rng) for line, y in zip(layout.lines, base, strict=True)
    )
    lowest = max(box.bottom for token in written[-1].tokens for box in token.boxes)
    printed = print_form(sheet, form_id(number), prompt, lowest)
    picture = scan(handwriting, printed, writer.style, sheet.scale, rng)
    return SyntheticForm(form_id(number), plan.id, plan.part, tuple(prompt), written, picture)


def compose(writer: Writer, plan: WriterPlan, number: int, recipe: FormRecipe) -> TextLayout:
    """Choose the text of form `number` and place its words on lines, without drawing them."""
    rng = np.random.default_rng((recipe.seed, *b"text", number))
    source = prose_by_split(recipe.seed)[plan.split].words(number, rng)
    fewest, most = recipe.lines
    return lay_out(writer, source, recipe.sheet, int(rng.integers(fewest, most + 1)), rng)


def _write_line(
    page: np.ndarray, line: list[Ink], y: float, writer: Writer, sheet: Sheet, rng: np.random.Generator
) -> WrittenLine:
    """Draw one line on the page, in place, token by token."""
    inks = [token for word in line for token in word.moved(0, y).tokens()]
    tokens = []
    for ink in inks:
        patch, left, top = draw_ink(ink, writer.style, sheet.scale, rng)
        tokens.append(Token(ink.text, _paste(page, patch, left, top, sheet)))
    return WrittenLine(" ".join(word.text for word in line), tuple(tokens), round(y))


def _paste(page: np.ndarray, patch: np.ndarray, left: int, top: int, sheet: Sheet) -> tuple[Box, ...]:
    """Put a patch of coverage on the page, in place, and return the boxes of its ink. The page clips the patch."""
    x, y = max(0, left), max(0, top)
    visible = patch[y - top : page.shape[0] - top, x - left : page.shape[1] - left]
    part = page[y : y + visible.shape[0], x : x + visible.shape[1]]
    cv2.max(part, visible, dst=part)
    return tuple(_clip(box, sheet) for box in ink_boxes(visible, x, y, sheet.scale))


def _clip(box: Box, sheet: Sheet) -> Box:
    """Clip a box to the sheet: boxes are rounded outwards and may pass its right and lower edge by a pixel."""
    return Box(box.x, box.y, min(box.right, sheet.width) - box.x, min(box.bottom, sheet.height) - box.y)
