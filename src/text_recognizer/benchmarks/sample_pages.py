"""Synthetic pages of handwriting with known text, so that whole pages can be measured without any data."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import cv2
import numpy as np

from text_recognizer.benchmarks.page_truth import cut_out
from text_recognizer.core.params import SyntheticSection
from text_recognizer.preprocess.synthetic_pages import draw_forms, synthetic_writers

DPI = 150
SEED = 1
LINES = 9  # of a sample page; IAM's pages have 8.8 on average
WHITE = 255
PITCH, WORD_SPACE, MARGIN = 84, 30, 60  # px between the lines, the pieces of a line, and around a composed page
ASPECT = 1.414  # height over width of A4
PIECES = 24  # different drawn lines that pages are composed of


@dataclass(frozen=True, eq=False)
class SamplePage:
    """A picture, uint8 RGB (H, W, 3), and its text."""

    name: str
    rgb: np.ndarray
    text: str


def sample_pages(count: int) -> list[SamplePage]:
    """Draw `count` pages of 9 lines, each by another writer, and cut out their handwriting."""
    drawn = _draw(count, LINES, 3542)
    return [SamplePage(f"sample-{number}", rgb, text) for number, (rgb, text) in enumerate(drawn, 1)]


def composed_pages(lines: Sequence[int]) -> list[SamplePage]:
    """Compose a page for each number of lines, about as high for its width as A4 at most.

    The lines are drawn by several writers. The more of them a page has, the longer they are.
    """
    pieces = _draw(PIECES, 1, 600)
    return [_compose(pieces, count) for count in lines]


def _draw(count: int, lines: int, height: int) -> list[tuple[np.ndarray, str]]:
    """Draw forms of `lines` lines on sheets of `height` pixels at 300 dpi; return their handwriting and texts."""
    section = SyntheticSection(
        seed=SEED, train_forms=count, validation_forms=1, test_forms=1, forms_per_writer=1, page_width=2479,
        page_height=height, lines_min=lines, lines_max=lines, dpi=DPI,
    )  # fmt: skip
    writers = sorted(synthetic_writers(section, count))
    margin = 0.15 if lines > 1 else 0.03
    forms = draw_forms(section, count, writers)
    return [(_rgb(cut_out(form, picture, margin)), form.text) for form, picture in forms]


def _compose(pieces: Sequence[tuple[np.ndarray, str]], lines: int) -> SamplePage:
    """Paste `lines` lines, each of as many pieces as the shape of the page asks for, on white paper."""
    rng = np.random.default_rng((SEED, lines))
    widest = max(rgb.shape[1] for rgb, _ in pieces)
    across = max(1, ceil(lines * PITCH / ASPECT / widest))
    size = (lines * PITCH + 2 * MARGIN, across * (widest + WORD_SPACE) + 2 * MARGIN, 3)
    page, texts = np.full(size, WHITE, np.uint8), []
    for line in range(lines):
        chosen = [pieces[index] for index in rng.choice(len(pieces), across, replace=False)]
        _paste(page, [rgb for rgb, _ in chosen], MARGIN + line * PITCH + PITCH // 2)
        texts.append(" ".join(text for _, text in chosen))
    return SamplePage(f"composed-{lines}", page, "\n".join(texts))


def _paste(page: np.ndarray, pieces: Sequence[np.ndarray], middle: int) -> None:
    """Put pieces side by side on the page, in place, around the row `middle`. The darker pixel of two stays."""
    left = MARGIN
    for piece in pieces:
        top = max(0, middle - piece.shape[0] // 2)
        place = page[top : top + piece.shape[0], left : left + piece.shape[1]]
        np.minimum(place, piece[: place.shape[0], : place.shape[1]], out=place)
        left += piece.shape[1] + WORD_SPACE


def _rgb(grey: np.ndarray) -> np.ndarray:
    """Return a grey picture as RGB, with its paper made white, so that pieces can be pasted without an edge."""
    light = float(np.median(grey))
    return np.asarray(cv2.cvtColor(np.clip(grey * (WHITE / light), 0, WHITE).astype(np.uint8), cv2.COLOR_GRAY2RGB))
