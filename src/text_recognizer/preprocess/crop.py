"""One form's handwritten paragraph, cut out by its line boxes and laid on a canvas."""

import numpy as np

from text_recognizer.config import PreprocessSection
from text_recognizer.data.iam import SCAN_DPI, Box, Form
from text_recognizer.data.packed import Page
from text_recognizer.errors import DataError
from text_recognizer.images import Placed, level, place
from text_recognizer.text import unknown


def crop_form(form: Form, picture: np.ndarray, section: PreprocessSection) -> tuple[np.ndarray, Page]:
    """The canvas, uint8 (H, W), and its labels, boxes in pixels of the canvas.

    `picture` is the page, uint8 grey (H', W'), at any resolution. Raises DataError naming the form where it has no text
    region on the page or a character outside the charset.
    """
    if strangers := unknown(form.text):
        signs = " ".join(map(repr, strangers))
        raise DataError(f"form {form.id} has characters outside the charset: {signs}", "mend its XML or exclude it")
    region = form.box
    if region is None or not all(line.box and line.text for line in form.lines):
        raise DataError(f"form {form.id} has a line without a box or without text", "mend its XML or exclude it")
    ratio = picture.shape[1] / form.width
    margin = section.padding / section.dpi * SCAN_DPI
    left, top, right, bottom = _pixels(region, margin, ratio, picture.shape)
    if right <= left or bottom <= top:
        raise DataError(f"form {form.id}: its lines lie outside the picture", "mend its XML or exclude it")
    scale = section.dpi / (SCAN_DPI * ratio)
    canvas = (section.canvas_height, section.canvas_width)
    placed = place(level(picture[top:bottom, left:right], section.binarise), canvas, scale, left, top)
    boxes = tuple(_on_canvas(line.box, ratio, placed) for line in form.lines if line.box)
    size = round((right - left) * placed.scale), round((bottom - top) * placed.scale)
    dpi = round(placed.scale * SCAN_DPI * ratio, 1)
    return placed.canvas, Page(form.id, form.writer, form.text, boxes, size, dpi)


def _pixels(region: Box, margin: float, ratio: float, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """The region with its margin in pixels of the picture, kept inside the picture."""
    left, top = (max(0, int((edge - margin) * ratio)) for edge in (region.x, region.y))
    right = min(shape[1], int(np.ceil((region.right + margin) * ratio)))
    bottom = min(shape[0], int(np.ceil((region.bottom + margin) * ratio)))
    return left, top, right, bottom


def _on_canvas(box: Box, ratio: float, placed: Placed) -> tuple[int, int, int, int]:
    x, y = (box.x * ratio - placed.left) * placed.scale, (box.y * ratio - placed.top) * placed.scale
    return round(x), round(y), round(box.width * ratio * placed.scale), round(box.height * ratio * placed.scale)
