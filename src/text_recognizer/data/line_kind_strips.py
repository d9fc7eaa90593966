"""Cut the strips that the line classifier learns from: lines of pages, and pieces of pictures that resemble lines."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from text_recognizer.data.line_kind_sources import KindPage
from text_recognizer.inference.line_kind import NONE, WRITTEN
from text_recognizer.pages.line_building import TextLine, join_lines
from text_recognizer.pages.strips import rectify
from text_recognizer.pages.text_detection import TextBox, TextDetector

SIDES = (640, 800, 960)  # half of the pixels along the longer side of a page; the pixels of a picture without text
MAX_STRIP_WIDTH = 1400  # pixels
MIN_STRIP_WIDTH = 72
RANDOM_PIECES = 8  # of each picture without text
PROPOSALS = 8
HEIGHTS = (0.02, 0.15)  # of a random piece, as a share of the picture's longer side


@dataclass(frozen=True)
class KindStrip:
    """A strip, uint8 (STRIP_HEIGHT, W), dark on white, its kind, and the page that it is from."""

    pixels: np.ndarray
    kind: int
    source: str


def strips_of_page(page: KindPage, detector: TextDetector, rng: np.random.Generator) -> Iterator[KindStrip]:
    """Yield the strips of a page whose kind is known: of whole lines, and of some single pieces of them.

    Pictures without text also give places that resemble lines and places at random.
    """
    empty = any(kind == NONE for _, kind in page.zones)
    grey = shrink(page.grey, int(rng.choice(SIDES)) * (1 if empty else 2))
    scale = page.grey.shape[0] / grey.shape[0]
    boxes = detector.detect(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB))
    lines = join_lines(boxes)
    lines += [TextLine((box,)) for box in boxes if rng.random() < 0.3]
    if empty:
        lines += [TextLine((box,)) for box in (*proposals(grey, rng), *random_boxes(grey, rng))]
    kinds = [page.kind_at(*(line.along(0.0).mean(axis=0) * scale)) for line in lines]
    for kind in sorted({kind for kind in kinds if kind is not None}):
        # The usual height of a page's lines is that of its own kind.
        chosen = [_jittered(line, rng) for line, own in zip(lines, kinds, strict=True) if own == kind]
        for strip in (strip.pixels for strip in rectify(grey, chosen)):
            if strip.shape[1] >= MIN_STRIP_WIDTH and (kind != WRITTEN or strip.min() < 128):
                yield KindStrip(_piece(strip, rng), kind, page.name)


def shrink(grey: np.ndarray, side: int) -> np.ndarray:
    """Shrink a picture so that its longer side has at most `side` pixels."""
    factor = side / max(grey.shape)
    if factor >= 1:
        return grey
    size = max(1, round(grey.shape[1] * factor)), max(1, round(grey.shape[0] * factor))
    small: np.ndarray = cv2.resize(grey, size, interpolation=cv2.INTER_AREA)
    return small


def proposals(grey: np.ndarray, rng: np.random.Generator) -> list[TextBox]:
    """Return places with many edges along a line, as a detector that errs would."""
    small = shrink(grey, 480)
    scale = grey.shape[1] / small.shape[1]
    edges = cv2.morphologyEx(small, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    mask = (edges > max(20.0, float(np.percentile(edges, 85)))).astype(np.uint8)
    closed = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((1, int(rng.integers(5, 15))), np.uint8))
    opened = cv2.morphologyEx(closed, cv2.MORPH_OPEN, np.ones((int(rng.integers(3, 7)), 9), np.uint8))
    contours, _ = cv2.findContours(opened, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    boxes = [box for contour in contours if (box := _box_of(cv2.minAreaRect(contour), scale))]
    chosen = rng.permutation(len(boxes))[:PROPOSALS]
    return [boxes[index] for index in chosen]


def random_boxes(grey: np.ndarray, rng: np.random.Generator) -> Iterator[TextBox]:
    """Yield places at random, most of them level."""
    height, width = grey.shape
    for _ in range(RANDOM_PIECES):
        high = max(10.0, max(grey.shape) * np.exp(rng.uniform(*np.log(HEIGHTS))))
        long = high * np.exp(rng.uniform(np.log(1.2), np.log(14)))
        degrees = 0.0 if rng.random() < 0.7 else float(rng.uniform(-90, 90))
        x, y = rng.uniform(0.1, 0.9) * width, rng.uniform(0.1, 0.9) * height
        yield TextBox(x, y, float(min(long, width)), float(high), degrees, 0.5)


def _box_of(rectangle: tuple[tuple[float, float], tuple[float, float], float], scale: float) -> TextBox | None:
    (x, y), (width, height), degrees = rectangle
    if width < height:
        width, height, degrees = height, width, degrees + 90
    if height < 4 or width < 1.3 * height:
        return None
    degrees = (degrees + 90) % 180 - 90
    return TextBox(x * scale, y * scale, (width + 4) * scale, (height + 4) * scale, degrees, 0.5)


def _jittered(line: TextLine, rng: np.random.Generator) -> TextLine:
    """Change the height of a line a little, because a detector is not exact."""
    factor = float(np.exp(rng.normal(0, 0.1)))
    pieces = (
        TextBox(b.x, b.y, b.width, b.height * factor, b.degrees, b.score, tuple(v / factor for v in b.curve))
        for b in line.pieces
    )
    return TextLine(tuple(pieces))


def _piece(strip: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    spare = strip.shape[1] - MAX_STRIP_WIDTH
    start = int(rng.integers(0, spare)) if spare > 0 else 0
    return np.ascontiguousarray(strip[:, start : start + MAX_STRIP_WIDTH])
