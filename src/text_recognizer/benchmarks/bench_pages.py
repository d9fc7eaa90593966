"""Synthetic pages of IAM's size to measure on: the same ones at any resolution."""

from collections.abc import Sequence

import numpy as np

from text_recognizer.core.params import PreprocessSection, SyntheticSection
from text_recognizer.corpora.packed_pages import PackedSplit
from text_recognizer.preprocess import crop_form
from text_recognizer.preprocess.synthetic_pages import draw_forms, synthetic_writers

NUM_LINES = 9  # IAM's pages have 8.8 on average


def crops(dpi: int, height: int, width: int, padding: int = 4) -> PreprocessSection:
    """Return how pages are cropped for a reader at `dpi` with a canvas of (height, width) pixels."""
    return PreprocessSection(dpi=dpi, canvas_height=height, canvas_width=width, padding=padding)


def drawn_pages(count: int, sections: Sequence[PreprocessSection]) -> list[PackedSplit]:
    """Draw `count` pages of 9 lines, and return them cropped by each of the sections."""
    synthetic = SyntheticSection(
        seed=1, train_forms=count, validation_forms=1, test_forms=1, forms_per_writer=1, page_width=2479,
        page_height=3542, lines_min=NUM_LINES, lines_max=NUM_LINES, dpi=150,
    )  # fmt: skip
    writers = sorted(synthetic_writers(synthetic, count))
    forms = list(draw_forms(synthetic, count, writers))
    cropped = [[crop_form(form, picture, section) for form, picture in forms] for section in sections]
    return [PackedSplit(np.stack([canvas for canvas, _ in rows]), tuple(page for _, page in rows)) for rows in cropped]
