"""Handwriting that the tests draw: words in the fonts of the built-in sample, of which no two instances are alike."""

import random
from functools import cache

import cv2
import numpy as np

from text_recognizer.core.geometry import Box
from text_recognizer.corpora.packed_pages import PackedPage, PackedSplit
from text_recognizer.synthetic.pen import draw_ink
from text_recognizer.synthetic.plan import WriterPlan
from text_recognizer.synthetic.writer import Writer

DPI = 150
FONTS = 0, 12, 28, 40
SPACE = 1.6  # x-heights between two words
CANVAS = 128, 448  # pixels
WORDS = ("the", "and", "sea", "ink", "pen", "cat", "sat", "mat", "red", "dog", "hair", "seven", "letter", "garden")
BLUR = 1.0  # pixels: enough that the pretrained reader makes mistakes


@cache
def _writer(font: int) -> Writer:
    return Writer(WriterPlan(font, "train", "trainset", font, (font,), range(1)), seed=1, dpi=DPI)


def draw_words(text: str, seed: int, font: int = FONTS[0]) -> np.ndarray:
    """Draw a line of words, uint8 grey (H, W) at DPI, cut at its ink: dark on white."""
    writer, rng, left, patches = _writer(font), np.random.default_rng(seed), 0.0, []
    for word in text.split():
        ink = writer.write(word, rng)
        patches.append(draw_ink(ink.moved(left, 0), writer.style, DPI / 300, rng))
        left += float(ink.points[:, 0].max()) + SPACE * writer.x_height
    x, y = min(patch[1] for patch in patches), min(patch[2] for patch in patches)
    width = max(patch[1] + patch[0].shape[1] for patch in patches) - x
    height = max(patch[2] + patch[0].shape[0] for patch in patches) - y
    line = np.zeros((height, width), np.uint8)
    for pixels, column, row in patches:
        part = line[row - y : row - y + pixels.shape[0], column - x : column - x + pixels.shape[1]]
        np.maximum(part, pixels, out=part)
    return 255 - line


def written_split(texts: list[str], seed: int = 1) -> PackedSplit:
    """A packed split of written pages of one line, each font a writer."""
    canvases, pages = [], []
    for number, text in enumerate(texts):
        font = FONTS[number % len(FONTS)]
        line = cv2.GaussianBlur(draw_words(text, 1000 * seed + number, font), (0, 0), BLUR)
        height, width = line.shape
        canvas = np.full(CANVAS, 255, np.uint8)
        canvas[20 : 20 + height, 20 : 20 + width] = line
        canvases.append(canvas)
        box, size = Box(20, 20, width, height), CANVAS[::-1]
        pages.append(PackedPage(f"p{number}", f"w{font}", text, (box,), size, float(DPI)))
    return PackedSplit(np.stack(canvases), tuple(pages))


def random_texts(count: int, seed: int, words: int = 3) -> list[str]:
    """So many texts of random words."""
    generator = random.Random(seed)
    return [" ".join(generator.choice(WORDS) for _ in range(words)) for _ in range(count)]


def scaled(grey: np.ndarray, factor: float) -> np.ndarray:
    """Scale a picture, uint8 grey (H, W)."""
    return np.asarray(cv2.resize(grey, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA))
