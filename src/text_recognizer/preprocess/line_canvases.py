"""Compose canvases from strips: lines of any pages, one below the other, with their texts and boxes.

A reader that is trained on them reads strips as well as paragraphs, because the encoder stacks strips in the same way.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from text_recognizer.core.geometry import Box
from text_recognizer.corpora.packed_pages import PackedPage
from text_recognizer.pages.normalisation import PAPER
from text_recognizer.pages.strips import FOUND_HEIGHT, MARGIN, STRIP_DPI, STRIP_HEIGHT, TEXT_HEIGHT
from text_recognizer.preprocess.line_degradation import degrade

MAX_COMPRESSION = 1.3  # a strip may be so many times as long as the canvas is wide; it is compressed to fit
WIDTH_NOISE = 80  # pixels; strips share a canvas if their widths are about equal
MIN_TEXT_WIDTH = 8  # pixels
LABEL_HEIGHT = round(TEXT_HEIGHT / FOUND_HEIGHT)  # pixels of the box of a strip, which is then cut out as it was
DEGRADED_STRIPS = 0.6  # share of the strips
RULED_CANVASES = 0.75  # share of the canvases with ruled strips
RULED_STRIPS = 0.6  # share of the strips of such a canvas
SQUARED = 0.15  # share of the closely ruled strips that are squared
BROKEN = 0.4  # share of the ruled strips whose lines have gaps
GAP = 6  # pixels
MAX_GAPS = 0.25  # share of a broken line
MAX_TONE = 170  # grey of the palest line


@dataclass(frozen=True, eq=False)
class LabelledStrip:
    """A strip whose text is known, of a page by one writer. It is kept as a PNG, which needs a fifth of the memory."""

    png: bytes
    width: int
    text: str
    page: str
    writer: str

    @classmethod
    def of(cls, pixels: np.ndarray, text: str, page: str, writer: str) -> "LabelledStrip":
        """Keep a strip, uint8 (STRIP_HEIGHT, W)."""
        return cls(to_png(pixels), pixels.shape[1], text, page, writer)


def to_png(grey: np.ndarray) -> bytes:
    """Return a picture, uint8 grey (H, W), as a PNG."""
    return cv2.imencode(".png", grey)[1].tobytes()


def from_png(png: bytes) -> np.ndarray:
    """Return the picture of `to_png`, uint8 grey (H, W)."""
    return np.asarray(cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_GRAYSCALE))


def fits(width: int, canvas_width: int) -> bool:
    """Return whether a strip of `width` pixels fits on a canvas, compressed if need be."""
    return width <= MAX_COMPRESSION * canvas_width


def group_strips(
    strips: Sequence[LabelledStrip], canvas_height: int, rng: np.random.Generator
) -> list[list[LabelledStrip]]:
    """Group the strips by canvas: about equally long ones together, so that little of a canvas is empty.

    Every strip is in one group. The last group may have fewer strips than fit on a canvas.
    """
    count = canvas_height // STRIP_HEIGHT
    noise = rng.uniform(-WIDTH_NOISE, WIDTH_NOISE, len(strips))
    order = np.argsort([strip.width + shift for strip, shift in zip(strips, noise, strict=True)], kind="stable")
    groups = [order[start : start + count] for start in range(0, len(order), count)]
    return [[strips[index] for index in rng.permutation(group)] for group in groups]


def compose_canvas(
    name: str, strips: Sequence[LabelledStrip], shape: tuple[int, int], rng: np.random.Generator, degraded: bool = False
) -> tuple[np.ndarray, PackedPage]:
    """Stack strips on a canvas, uint8 `shape`, from its top. Return it with its labels.

    If `degraded`, some strips are degraded, and ruled or squared paper is drawn under some strips of most canvases. The
    writer of the canvas is that of its first strip.
    """
    canvas = np.full(shape, PAPER, dtype=np.uint8)
    has_rules = degraded and rng.random() < RULED_CANVASES
    boxes = []
    for row, strip in enumerate(strips):
        pixels = narrow(from_png(strip.png), shape[1])
        if degraded and rng.random() < DEGRADED_STRIPS:
            pixels = degrade(pixels, rng)
        if has_rules and rng.random() < RULED_STRIPS:
            pixels = draw_rules(pixels, rng)
        top, width = row * STRIP_HEIGHT, pixels.shape[1]
        canvas[top : top + STRIP_HEIGHT, :width] = pixels
        text_top = top + (STRIP_HEIGHT - LABEL_HEIGHT) // 2
        boxes.append(Box(MARGIN, text_top, max(MIN_TEXT_WIDTH, width - 2 * MARGIN), LABEL_HEIGHT))
    text = "\n".join(strip.text for strip in strips)
    return canvas, PackedPage(name, strips[0].writer, text, tuple(boxes), (shape[1], shape[0]), float(STRIP_DPI))


def draw_rules(strip: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw the lines of ruled or squared paper on a strip, uint8 (H, W), and return the result.

    Tone, thickness, slope, distance and gaps of the lines are random. Ink stays at least as dark as it is.
    """
    height, width = strip.shape
    paper = np.full(strip.shape, PAPER, dtype=np.uint8)
    tone, thickness = rng.uniform(0, MAX_TONE), int(rng.integers(1, 5))
    rise = rng.normal(0, 0.006) * width
    # A line near the baseline. The next one is a line of writing away, or less, or much less: squared paper.
    pitch = float(rng.choice([STRIP_HEIGHT, rng.uniform(55, 100), rng.uniform(24, 50)], p=[0.6, 0.25, 0.15]))
    for y in rng.uniform(52, 72) + pitch * np.arange(-4, 4):
        cv2.line(paper, (0, round(y)), (width, round(y + rise)), tone, thickness, cv2.LINE_AA)
    if rng.random() < SQUARED and pitch < 60:
        for x in np.arange(rng.uniform(0, pitch), width, pitch):
            cv2.line(paper, (int(x), 0), (int(x), height), tone, thickness, cv2.LINE_AA)
    if rng.random() < BROKEN:
        gaps = rng.random(width // GAP + 1) < rng.uniform(0, MAX_GAPS)
        paper[:, np.repeat(gaps, GAP)[:width]] = PAPER
    ruled: np.ndarray = np.minimum(strip, paper)
    return ruled


def narrow(strip: np.ndarray, width: int) -> np.ndarray:
    """Return a strip that is at most `width` pixels long: the strip, or a compressed copy."""
    if strip.shape[1] <= width:
        return strip
    return np.asarray(cv2.resize(strip, (width, STRIP_HEIGHT), interpolation=cv2.INTER_AREA))
