"""One form's handwritten paragraph and its lines, cut out by the line boxes."""

from dataclasses import dataclass

import numpy as np

from text_recognizer.config import PreprocessSection
from text_recognizer.data.iam import SCAN_DPI, Box, Form
from text_recognizer.data.packed import Page
from text_recognizer.data.packed_lines import Line
from text_recognizer.errors import DataError
from text_recognizer.images import Placed, level, place
from text_recognizer.text import unknown


@dataclass(frozen=True)
class Paragraph:
    """A form's text region at the picture's own resolution, levelled: uint8 (H, W), dark ink on paper of 255.

    `left` and `top` are where it was cut from the picture, `ratio` is px of the picture to one of the 300 dpi scan.
    """

    form: Form
    grey: np.ndarray
    left: int
    top: int
    ratio: float


def crop_form(form: Form, picture: np.ndarray, section: PreprocessSection) -> tuple[np.ndarray, Page]:
    """The canvas, uint8 (H, W), and its labels: `on_canvas` of what `cut_out` gives."""
    return on_canvas(cut_out(form, picture, section), section)


def cut_out(form: Form, picture: np.ndarray, section: PreprocessSection) -> Paragraph:
    """The paragraph with its margin. `picture` is the page, uint8 grey (H', W'), at any resolution.

    Raises DataError naming the form where it has no text region on the page or a character outside the charset.
    """
    if strangers := unknown(form.text):
        signs = " ".join(map(repr, strangers))
        raise DataError(f"form {form.id} has characters outside the charset: {signs}", "mend its XML or exclude it")
    region = form.box
    if region is None or not all(line.box and line.text for line in form.lines):
        raise DataError(f"form {form.id} has a line without a box or without text", "mend its XML or exclude it")
    ratio = picture.shape[1] / form.width
    left, top, right, bottom = _pixels(region, section, ratio, picture.shape)
    if right <= left or bottom <= top:
        raise DataError(f"form {form.id}: its lines lie outside the picture", "mend its XML or exclude it")
    return Paragraph(form, level(picture[top:bottom, left:right], section.binarise), left, top, ratio)


def on_canvas(cut: Paragraph, section: PreprocessSection) -> tuple[np.ndarray, Page]:
    """The paragraph on a canvas, uint8 (H, W), and its labels, boxes in pixels of the canvas."""
    form, (height, width) = cut.form, cut.grey.shape
    canvas = (section.canvas_height, section.canvas_width)
    placed = place(cut.grey, canvas, section.dpi / (SCAN_DPI * cut.ratio), cut.left, cut.top)
    boxes = tuple(_on_canvas(line.box, cut.ratio, placed) for line in form.lines if line.box)
    size = round(width * placed.scale), round(height * placed.scale)
    dpi = round(placed.scale * SCAN_DPI * cut.ratio, 1)
    return placed.canvas, Page(form.id, form.writer, form.text, boxes, size, dpi)


def cut_lines(cut: Paragraph, section: PreprocessSection) -> tuple[list[tuple[np.ndarray, Line]], list[str]]:
    """Each line, uint8 (`section.lines`, w), with its labels; and the ids of those that lie mostly outside the picture.

    A line is scaled from the picture's own resolution, not from the canvas, with the paragraph's margin about its box;
    what its neighbours reach into that is seen in it, as in the lab.
    """
    lines, outside = [], []
    ends = cut.top + cut.grey.shape[0], cut.left + cut.grey.shape[1]
    for line in cut.form.lines:
        if line.box is None or not _mostly_inside(line.box, cut.ratio, ends):
            outside.append(line.id)
            continue
        left, top, right, bottom = _pixels(line.box, section, cut.ratio, ends)
        grey = cut.grey[max(0, top - cut.top) : bottom - cut.top, max(0, left - cut.left) : right - cut.left]
        scale = section.lines / grey.shape[0]
        size = max(1, round(grey.shape[1] * scale)), section.lines
        box = line.box.x, line.box.y, line.box.width, line.box.height
        labels = Line(line.id, cut.form.id, cut.form.writer, line.text, box, size)
        lines.append((place(grey, size[::-1], scale).canvas, labels))
    return lines, outside


def _mostly_inside(box: Box, ratio: float, ends: tuple[int, int]) -> bool:
    """Whether half of the box or more lies in the picture, by its height and by its width."""
    inside = min(box.bottom, ends[0] / ratio) - max(box.y, 0), min(box.right, ends[1] / ratio) - max(box.x, 0)
    return 2 * inside[0] >= box.height > 0 and 2 * inside[1] >= box.width > 0


def _pixels(region: Box, section: PreprocessSection, ratio: float, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """The region with its margin in pixels of the picture, kept inside the picture."""
    margin = section.padding / section.dpi * SCAN_DPI
    left, top = (max(0, int((edge - margin) * ratio)) for edge in (region.x, region.y))
    right = min(shape[1], int(np.ceil((region.right + margin) * ratio)))
    bottom = min(shape[0], int(np.ceil((region.bottom + margin) * ratio)))
    return left, top, right, bottom


def _on_canvas(box: Box, ratio: float, placed: Placed) -> tuple[int, int, int, int]:
    x, y = (box.x * ratio - placed.left) * placed.scale, (box.y * ratio - placed.top) * placed.scale
    return round(x), round(y), round(box.width * ratio * placed.scale), round(box.height * ratio * placed.scale)
