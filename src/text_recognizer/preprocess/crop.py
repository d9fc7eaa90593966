"""Crop the handwritten paragraph of a form, and its lines, by the boxes of the lines."""

from dataclasses import dataclass, replace

import numpy as np

from text_recognizer.core.charset import unknown_characters
from text_recognizer.core.errors import DataError
from text_recognizer.core.geometry import Box
from text_recognizer.core.params import PreprocessSection
from text_recognizer.corpora.corrections import paint_over, scale_box
from text_recognizer.corpora.iam import SCAN_DPI, Form
from text_recognizer.corpora.packed_lines import PackedLine
from text_recognizer.corpora.packed_pages import PackedPage
from text_recognizer.pages.canvas import CanvasPlacement, place_on_canvas
from text_recognizer.pages.normalisation import normalise_contrast

NOWHERE = Box(0, 0, 0, 0)
REPAIR = "correct its XML, or leave the form out with data.exclude"


@dataclass(frozen=True)
class Paragraph:
    """The text region of a form at the picture's own resolution: `grey`, uint8 (H, W), dark ink on white paper.

    `left` and `top` are its position in the picture; `ratio` is the picture's pixels per pixel of the 300 dpi scan.
    """

    form: Form
    grey: np.ndarray
    left: int
    top: int
    ratio: float


def without_lines(form: Form, picture: np.ndarray, ids: frozenset[str]) -> tuple[Form, np.ndarray]:
    """Return a form without some of its lines, and its picture, uint8 grey (H, W), with paper where they were.

    What lies in the box of another line stays.
    """
    ratio = picture.shape[1] / form.width
    kept = tuple(line for line in form.lines if line.id not in ids)
    boxes = [scale_box(line.box, ratio) if line.box else None for line in form.lines]
    numbers = [number for number, line in enumerate(form.lines) if line.id in ids and line.box]
    return replace(form, lines=kept), paint_over(picture, [box or NOWHERE for box in boxes], numbers)


def crop_form(form: Form, picture: np.ndarray, section: PreprocessSection) -> tuple[np.ndarray, PackedPage]:
    """Crop the paragraph of a form and place it on a canvas. Return the canvas, uint8 (H, W), and its labels.

    `picture` is the page, uint8 grey (H', W'), at any resolution. Raises DataError as `crop_paragraph` does.
    """
    return place_paragraph(crop_paragraph(form, picture, section), section)


def crop_paragraph(form: Form, picture: np.ndarray, section: PreprocessSection) -> Paragraph:
    """Crop the paragraph of a form with its margin. `picture` is the page, uint8 grey (H', W'), at any resolution.

    Raises DataError naming the form if a line has no box or no text, if the lines lie outside the picture, or if a
    character is not in the charset.
    """
    if unknown := unknown_characters(form.text):
        raise DataError(f"form {form.id} has characters outside the charset: {' '.join(map(repr, unknown))}", REPAIR)
    region = form.box
    if region is None or not all(line.box and line.text for line in form.lines):
        raise DataError(f"form {form.id} has a line without a box or without text", REPAIR)
    ratio = picture.shape[1] / form.width
    left, top, right, bottom = _pixel_edges(region, section, ratio, picture.shape)
    if right <= left or bottom <= top:
        raise DataError(f"the lines of form {form.id} lie outside its picture", REPAIR)
    return Paragraph(form, normalise_contrast(picture[top:bottom, left:right], section.binarise), left, top, ratio)


def place_paragraph(paragraph: Paragraph, section: PreprocessSection) -> tuple[np.ndarray, PackedPage]:
    """Place a paragraph on a canvas. Return the canvas, uint8 (H, W), and labels with boxes in its pixels."""
    form, (height, width) = paragraph.form, paragraph.grey.shape
    canvas = (section.canvas_height, section.canvas_width)
    scale = section.dpi / (SCAN_DPI * paragraph.ratio)
    placed = place_on_canvas(paragraph.grey, canvas, scale, paragraph.left, paragraph.top)
    boxes = tuple(_to_canvas(line.box, paragraph.ratio, placed) for line in form.lines if line.box)
    size = round(width * placed.scale), round(height * placed.scale)
    dpi = round(placed.scale * SCAN_DPI * paragraph.ratio, 1)
    return placed.canvas, PackedPage(form.id, form.writer, form.text, boxes, size, dpi)


def crop_lines(
    paragraph: Paragraph, section: PreprocessSection
) -> tuple[list[tuple[np.ndarray, PackedLine]], list[str]]:
    """Crop each line to uint8 (`section.line_height`, w), with its labels.

    Also return the ids of the lines that lie mostly outside the picture; those are not cropped. A line is scaled from
    the resolution of the picture, not of the canvas, and has the paragraph's margin around its box. What neighbouring
    lines reach into the margin stays visible, as in the FSDL lab.
    """
    lines, outside = [], []
    ends = paragraph.top + paragraph.grey.shape[0], paragraph.left + paragraph.grey.shape[1]
    for line in paragraph.form.lines:
        if line.box is None or not _mostly_inside(line.box, paragraph.ratio, ends):
            outside.append(line.id)
            continue
        left, top, right, bottom = _pixel_edges(line.box, section, paragraph.ratio, ends)
        rows = slice(max(0, top - paragraph.top), bottom - paragraph.top)
        columns = slice(max(0, left - paragraph.left), right - paragraph.left)
        grey = paragraph.grey[rows, columns]
        scale = section.line_height / grey.shape[0]
        size = max(1, round(grey.shape[1] * scale)), section.line_height
        labels = PackedLine(line.id, paragraph.form.id, paragraph.form.writer, line.text, line.box, size)
        lines.append((place_on_canvas(grey, size[::-1], scale).canvas, labels))
    return lines, outside


def _mostly_inside(box: Box, ratio: float, ends: tuple[int, int]) -> bool:
    """Return whether at least half of the box's height and half of its width lie in the picture.

    `ends` are the picture's lower and right edge in its own pixels.
    """
    inside = min(box.bottom, ends[0] / ratio) - max(box.y, 0), min(box.right, ends[1] / ratio) - max(box.x, 0)
    return 2 * inside[0] >= box.height > 0 and 2 * inside[1] >= box.width > 0


def _pixel_edges(
    region: Box, section: PreprocessSection, ratio: float, shape: tuple[int, ...]
) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of a region with its margin, in pixels of the picture, clipped to it."""
    margin = section.padding / section.dpi * SCAN_DPI
    left, top = (max(0, int((edge - margin) * ratio)) for edge in (region.x, region.y))
    right = min(shape[1], int(np.ceil((region.right + margin) * ratio)))
    bottom = min(shape[0], int(np.ceil((region.bottom + margin) * ratio)))
    return left, top, right, bottom


def _to_canvas(box: Box, ratio: float, placed: CanvasPlacement) -> Box:
    """Convert a box from pixels of the 300 dpi scan to pixels of the canvas."""
    x, y = (box.x * ratio - placed.left) * placed.scale, (box.y * ratio - placed.top) * placed.scale
    return Box(round(x), round(y), round(box.width * ratio * placed.scale), round(box.height * ratio * placed.scale))
