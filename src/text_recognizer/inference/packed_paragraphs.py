"""Read packed paragraphs as any picture is read, so that what is scored is what `read` and the service do."""

import cv2
import numpy as np

from text_recognizer.core.geometry import Box
from text_recognizer.corpora.packed_pages import PackedPage
from text_recognizer.inference.page_reader import TracedPage
from text_recognizer.inference.recognizer import Recognizer, to_rgb
from text_recognizer.pages.foreground import foreground_box
from text_recognizer.pages.normalisation import PAPER
from text_recognizer.pages.strips import STRIP_DPI

MARGIN = 0.15  # inches of paper around the text: the text detector misses text at the edge of a picture


def read_paragraph(recognizer: Recognizer, canvas: np.ndarray, page: PackedPage) -> TracedPage:
    """Read the picture of a canvas, uint8 (H, W), as any picture is read."""
    return recognizer.reader.trace(to_rgb(paragraph_picture(canvas, page, recognizer.info.dpi)))


def paragraph_picture(canvas: np.ndarray, page: PackedPage, dpi: int) -> np.ndarray:
    """Return the written part of a canvas, uint8 (H, W), with paper on all sides: uint8 (h, w), at STRIP_DPI.

    `dpi` is the resolution of the canvas if `page` does not know it.
    """
    box = foreground_box(canvas) or Box(0, 0, canvas.shape[1], canvas.shape[0])
    written = canvas[box.y : box.bottom, box.x : box.right]
    scale = STRIP_DPI / (page.dpi or dpi)
    if scale != 1:
        size = max(1, round(written.shape[1] * scale)), max(1, round(written.shape[0] * scale))
        written = cv2.resize(written, size, interpolation=cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA)
    return np.pad(written, round(MARGIN * STRIP_DPI), constant_values=PAPER)
