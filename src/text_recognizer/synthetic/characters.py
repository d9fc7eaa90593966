"""Single characters in EMNIST's format, drawn with the strokes of the synthetic forms."""

import cv2
import numpy as np
from tqdm import tqdm

from text_recognizer.synthetic.pen import draw_ink
from text_recognizer.synthetic.plan import TEST_FONTS, WriterPlan
from text_recognizer.synthetic.strokes import load_source_fonts
from text_recognizer.synthetic.writer import Writer

SIDE, LARGEST = 28, 24  # px: side of a picture, and longer side of the character in it, as in EMNIST
DRAWN = 60  # px: longer side at which a character is drawn before it is scaled down
DPI = 150


def draw_characters(characters: str, writers: tuple[int, int], seed: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Draw every character once by each of `writers` = (train, test) writers. No source font is in both parts.

    Returns for 'train' and 'test' the pictures, uint8 (N, 28, 28), foreground high, and the labels, uint8 (N,): indices
    into `characters`.
    """
    fonts = np.random.default_rng((seed, *b"characters")).permutation(len(load_source_fonts()))
    parts = {"train": tuple(map(int, fonts[:-TEST_FONTS])), "test": tuple(map(int, fonts[-TEST_FONTS:]))}
    out = {}
    with tqdm(total=sum(writers), desc="draw characters", unit="writer") as bar:
        for (part, own), count in zip(parts.items(), writers, strict=True):
            plans = [WriterPlan(n, part, part, own[n % len(own)], own, range(0)) for n in range(count)]
            pictures = []
            for plan in plans:
                pictures += _draw_alphabet(plan, characters, seed)
                bar.update()
            labels = np.tile(np.arange(len(characters), dtype=np.uint8), count)
            out[part] = np.stack(pictures), labels
    return out


def _draw_alphabet(plan: WriterPlan, characters: str, seed: int) -> list[np.ndarray]:
    writer = Writer(plan, seed, DPI)
    rng = np.random.default_rng((seed, *plan.split.encode(), plan.number))
    return [_draw_centred(writer, character, rng) for character in characters]


def _draw_centred(writer: Writer, character: str, rng: np.random.Generator) -> np.ndarray:
    """Draw one character in the middle of a picture, uint8 (28, 28), its longer side LARGEST px."""
    ink = writer.write(character, rng)
    scale = DRAWN / max(float(np.ptp(ink.points, axis=0).max()) + writer.style.pen, 1.0)
    coverage, _, _ = draw_ink(ink, writer.style, scale, rng)
    rows, columns = (np.flatnonzero(coverage.any(axis=axis)) for axis in (1, 0))
    cut = coverage[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    ratio = LARGEST / max(cut.shape)
    height, width = (max(1, round(side * ratio)) for side in cut.shape)
    frame = np.zeros((SIDE, SIDE), dtype=np.uint8)
    top, left = (SIDE - height) // 2, (SIDE - width) // 2
    frame[top : top + height, left : left + width] = cv2.resize(cut, (width, height), interpolation=cv2.INTER_AREA)
    return frame
