"""Pages of IAM's size to measure on, drawn anew each time: the same ones at any resolution."""

from collections.abc import Sequence

import numpy as np

from text_recognizer.config import PreprocessSection, SyntheticSection
from text_recognizer.data.packed import PackedSplit
from text_recognizer.preprocess import crop_form
from text_recognizer.preprocess.drawn import draw, drawn_writers

LINES = 9  # IAM's pages have 8.8 at the mean


def crops(dpi: int, height: int, width: int, padding: int = 4) -> PreprocessSection:
    """How pages are cropped for a reader at `dpi` of a canvas (height, width)."""
    return PreprocessSection(dpi=dpi, canvas_height=height, canvas_width=width, padding=padding, workers=1)


def drawn_pages(count: int, sections: Sequence[PreprocessSection]) -> list[PackedSplit]:
    """`count` pages of 9 lines, cropped by each of the sections."""
    synthetic = SyntheticSection(
        seed=1, train_forms=count, validation_forms=1, test_forms=1, forms_per_writer=1, page_width=2479,
        page_height=3542, lines_min=LINES, lines_max=LINES, dpi=150, workers=1,
    )  # fmt: skip
    writers = sorted(drawn_writers(synthetic, count))
    forms = [(form, picture) for _, form, picture in draw(synthetic, count, writers)]
    cropped = [[crop_form(form, picture, section) for form, picture in forms] for section in sections]
    return [PackedSplit(np.stack([canvas for canvas, _ in rows]), tuple(page for _, page in rows)) for rows in cropped]
