"""Single characters in the frame of EMNIST, drawn with the pen of the sample."""

import cv2
import numpy as np
from tqdm import tqdm

from text_recognizer.data.synthetic.pen import draw
from text_recognizer.data.synthetic.plan import TEST_HANDS, WriterPlan
from text_recognizer.data.synthetic.strokes import load_hands
from text_recognizer.data.synthetic.writer import Writer

SIDE, LARGEST = 28, 24  # px: of the picture, and of the character's longer side in it, as EMNIST has it
DRAWN = 60  # px of the longer side at which a character is drawn before it is made smaller
DPI = 150


def draw_characters(characters: str, writers: tuple[int, int], seed: int) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """For 'train' and 'test' every character once by each of so many `writers`; no hand is in both.

    Ink, uint8 (N, 28, 28), and the places of the characters in `characters`, uint8 (N,).
    """
    hands = np.random.default_rng((seed, *b"characters")).permutation(len(load_hands()))
    parts = {"train": tuple(map(int, hands[:-TEST_HANDS])), "test": tuple(map(int, hands[-TEST_HANDS:]))}
    out = {}
    with tqdm(total=sum(writers), desc="draw characters", unit="writer") as bar:
        for (part, own), count in zip(parts.items(), writers, strict=True):
            plans = [WriterPlan(n, part, part, own[n % len(own)], own, range(0)) for n in range(count)]
            pictures = []
            for plan in plans:
                pictures += _alphabet(plan, characters, seed)
                bar.update()
            labels = np.tile(np.arange(len(characters), dtype=np.uint8), count)
            out[part] = np.stack(pictures), labels
    return out


def _alphabet(plan: WriterPlan, characters: str, seed: int) -> list[np.ndarray]:
    writer = Writer(plan, seed, DPI)
    rng = np.random.default_rng((seed, *plan.split.encode(), plan.number))
    return [_framed(writer, character, rng) for character in characters]


def _framed(writer: Writer, character: str, rng: np.random.Generator) -> np.ndarray:
    """One character in the middle of its frame, its longer side at its largest."""
    ink = writer.write(character, rng)
    scale = DRAWN / max(float(np.ptp(ink.points, axis=0).max()) + writer.style.pen, 1.0)
    coverage, _, _ = draw(ink, writer.style, scale, rng)
    rows, columns = (np.flatnonzero(coverage.any(axis=axis)) for axis in (1, 0))
    cut = coverage[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    ratio = LARGEST / max(cut.shape)
    height, width = (max(1, round(side * ratio)) for side in cut.shape)
    frame = np.zeros((SIDE, SIDE), dtype=np.uint8)
    top, left = (SIDE - height) // 2, (SIDE - width) // 2
    frame[top : top + height, left : left + width] = cv2.resize(cut, (width, height), interpolation=cv2.INTER_AREA)
    return frame
