"""Draw strips without text for the line classifier: rules, grids, staves, charts, and textures as of brick or hair."""

from collections.abc import Iterator

import cv2
import numpy as np

from text_recognizer.data.line_kind_strips import KindStrip
from text_recognizer.inference.line_kind import NONE
from text_recognizer.pages.normalisation import PAPER
from text_recognizer.pages.strips import STRIP_HEIGHT

SEED = 11


def pattern_strips(count: int, split: str) -> Iterator[KindStrip]:
    """Yield `count` strips of rules, grids, staves, noise, gradients, shapes and charts: nothing to read."""
    rng = np.random.default_rng((SEED, *split.encode(), *b"patterns"))
    for index in range(count):
        draw = PATTERNS[index % len(PATTERNS)]
        strip = np.full((STRIP_HEIGHT, int(rng.integers(96, 900))), PAPER, dtype=np.uint8)
        draw(strip, rng)
        yield KindStrip(strip, NONE, f"pattern/{draw.__name__}")


def draw_rules(strip: np.ndarray, rng: np.random.Generator) -> None:
    """Draw level lines, and upright ones in half of the cases, in place."""
    step, width = int(rng.integers(10, 70)), int(rng.integers(1, 4))
    grey = int(rng.integers(0, 190))
    strip[np.arange(STRIP_HEIGHT) % step < width] = grey
    if rng.random() < 0.5:
        strip[:, (np.arange(strip.shape[1]) + int(rng.integers(step))) % step < width] = grey


def draw_dots(strip: np.ndarray, rng: np.random.Generator) -> None:
    """Draw a grid of dots, or one dotted or dashed line, in place."""
    step, radius = int(rng.integers(6, 40)), int(rng.integers(1, 5))
    rows = range(step // 2, STRIP_HEIGHT, step) if rng.random() < 0.5 else [STRIP_HEIGHT // 2]
    for y in rows:
        for x in range(step // 2, strip.shape[1], step):
            cv2.circle(strip, (x, y), radius, int(rng.integers(0, 120)), -1)


def draw_staves(strip: np.ndarray, rng: np.random.Generator) -> None:
    """Draw five lines with notes on them, in place."""
    gap, top = int(rng.integers(5, 14)), int(rng.integers(5, 40))
    for line in range(5):
        strip[min(STRIP_HEIGHT - 1, top + line * gap)] = 0
    x = int(rng.integers(10, 40))
    while x < strip.shape[1] - 10:
        y = top + int(rng.integers(0, 9)) * gap // 2
        cv2.ellipse(strip, (x, y), (max(2, gap * 2 // 3), max(1, gap // 2)), -20, 0, 360, 0, int(rng.choice((-1, 2))))
        cv2.line(strip, (x + gap * 2 // 3, y), (x + gap * 2 // 3, y - 3 * gap), 0, 1)
        x += int(rng.integers(gap, 8 * gap))


def draw_noise(strip: np.ndarray, rng: np.random.Generator) -> None:
    """Fill the strip with noise of some scale, in place."""
    scale = int(rng.integers(1, 30))
    small = rng.normal(180, 60, (STRIP_HEIGHT // scale + 2, strip.shape[1] // scale + 2)).clip(0, 255).astype(np.uint8)
    strip[:] = cv2.resize(small, strip.shape[::-1], interpolation=cv2.INTER_CUBIC)


def draw_shapes(strip: np.ndarray, rng: np.random.Generator) -> None:
    """Draw long curves, boxes, circles and arrows, in place."""
    height, width = strip.shape
    for _ in range(int(rng.integers(1, 7))):
        first, second = (tuple(map(int, rng.integers((-20, -40), (width + 20, height + 40)))) for _ in range(2))
        grey, thick = int(rng.integers(0, 130)), int(rng.integers(1, 7))
        kind = rng.integers(4)
        if kind == 0:
            cv2.rectangle(strip, first, second, grey, thick)
        elif kind == 1:
            cv2.circle(strip, first, int(rng.integers(8, 200)), grey, thick)
        elif kind == 2:
            cv2.arrowedLine(strip, first, second, grey, thick)
        else:
            x = np.linspace(0, width, 60)
            y = height / 2 + rng.uniform(5, 60) * np.sin(x / rng.uniform(20, 200) + rng.uniform(0, 6))
            cv2.polylines(strip, [np.stack([x, y], axis=1).astype(np.int32)], False, grey, thick)


def draw_bars(strip: np.ndarray, rng: np.random.Generator) -> None:
    """Draw the bars of a chart, a barcode, or the keys of a keyboard, in place."""
    x, keys = 4, rng.random() < 0.5
    pitch = int(rng.integers(4, 70))
    while x < strip.shape[1] - 8:
        wide = pitch if keys else int(rng.integers(2, pitch + 2))
        top = 12 if keys else int(rng.integers(0, 80))
        fill = -1 if rng.random() < 0.5 or not keys else 2
        cv2.rectangle(strip, (x, top), (x + wide, STRIP_HEIGHT - 8), int(rng.integers(0, 150)), fill)
        x += wide + int(rng.integers(2, 14))


def draw_texture(strip: np.ndarray, rng: np.random.Generator) -> None:
    """Draw many short strokes, as of grass, hair or wood, in place."""
    angle, length = rng.uniform(0, np.pi), rng.uniform(5, 60)
    step = np.array([np.cos(angle), np.sin(angle)]) * length
    for _ in range(strip.shape[1] // 4):
        start = rng.uniform((0, 0), strip.shape[::-1])
        end = start + step * rng.normal(1, 0.2, 2)
        cv2.line(
            strip, tuple(map(int, start)), tuple(map(int, end)), int(rng.integers(0, 200)), int(rng.integers(1, 4))
        )


def draw_hatching(strip: np.ndarray, rng: np.random.Generator) -> None:
    """Draw parallel strokes, crossed in half of the cases, in patches or all over, in place."""
    height, width = strip.shape
    hatched = np.full_like(strip, PAPER)
    for angle in rng.uniform(0, np.pi, int(rng.integers(1, 3))):
        across = np.array([np.cos(angle), np.sin(angle)])
        along = 2 * (height + width) * np.array([-across[1], across[0]])
        step, at = rng.uniform(4, 22), -float(height + width)
        while at < height + width:
            at += step * np.exp(rng.normal(0, 0.15))
            first, second = at * across - along, at * across + along
            cv2.line(hatched, _point(first), _point(second), int(rng.integers(0, 130)), int(rng.integers(1, 4)))
    area = np.full_like(strip, PAPER)
    for _ in range(int(rng.integers(1, 4))):
        centre, axes = _point(rng.uniform((0, 0), (width, height))), tuple(map(int, rng.uniform(20, 200, 2)))
        cv2.ellipse(area, centre, axes, float(rng.uniform(0, 180)), 0, 360, 0, -1)
    strip[:] = hatched if rng.random() < 0.5 else np.where(area == 0, hatched, strip)


def draw_bricks(strip: np.ndarray, rng: np.random.Generator) -> None:
    """Draw courses of bricks or tiles, each of another grey, in place."""
    height, width = strip.shape
    high, long = int(rng.integers(12, 60)), int(rng.integers(20, 150))
    joint, grey = int(rng.integers(1, 6)), int(rng.integers(0, 255))
    strip[:] = grey
    for course, y in enumerate(range(-int(rng.integers(high)), height, high)):
        for x in range(-long + course % 2 * long // 2, width, long):
            fill = int(np.clip(grey + rng.choice((-1, 1)) * rng.uniform(40, 160), 0, 255))
            cv2.rectangle(strip, (x, y), (x + long - joint, y + high - joint), fill, -1)
    strip[:] = np.clip(strip + rng.normal(0, rng.uniform(0, 25), strip.shape), 0, 255)


def draw_weave(strip: np.ndarray, rng: np.random.Generator) -> None:
    """Draw the threads of a fabric, a net or a sieve, in place."""
    y, x = np.mgrid[0 : strip.shape[0], 0 : strip.shape[1]].astype(np.float32)
    angle, period = rng.uniform(0, np.pi), rng.uniform(4, 26)
    first = np.sin(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / period)
    second = np.sin(2 * np.pi * (y * np.cos(angle) - x * np.sin(angle)) / (period * rng.uniform(0.6, 1.6)))
    mixed = (first * second, np.maximum(first, second), first + second)[int(rng.integers(3))]
    strip[:] = np.clip(128 + rng.uniform(40, 150) * mixed + rng.normal(0, 12, strip.shape), 0, 255)


def draw_leaves(strip: np.ndarray, rng: np.random.Generator) -> None:
    """Draw many overlapping leaves, pebbles or petals, in place."""
    height, width = strip.shape
    size, slim, strip[:] = rng.uniform(6, 50), rng.uniform(0.2, 0.9), int(rng.integers(0, 255))
    for _ in range(int(min(1500, 3 * height * width / size**2))):
        centre, half = _point(rng.uniform((0, 0), (width, height))), size * np.exp(rng.normal(0, 0.3)) / 2
        axes, turn, grey = (
            (max(1, int(half)), max(1, int(half * slim))),
            float(rng.uniform(0, 360)),
            rng.uniform(0, 255),
        )
        cv2.ellipse(strip, centre, axes, turn, 0, 360, int(grey), -1)
        if rng.random() < 0.4:
            cv2.ellipse(strip, centre, axes, turn, 0, 360, int(grey * 0.5), 1)


def draw_wires(strip: np.ndarray, rng: np.random.Generator) -> None:
    """Draw long sagging wires, branches or fence posts that cross the whole strip, in place."""
    height, width = strip.shape
    x = np.linspace(-20, width + 20, 40)
    for _ in range(int(rng.integers(1, 7))):
        y = rng.uniform(0, height) + rng.normal(0, 0.15) * x + rng.normal(0, 40) * ((x - width / 2) / width) ** 2
        line = np.stack([x, y], axis=1).astype(np.int32)
        cv2.polylines(strip, [line], False, int(rng.integers(0, 130)), int(rng.integers(1, 9)), cv2.LINE_AA)
    if rng.random() < 0.5:
        step, lean, thick = int(rng.integers(15, 120)), int(rng.normal(0, 20)), int(rng.integers(1, 14))
        for at in range(int(rng.integers(step)), width, step):
            cv2.line(strip, (at, -5), (at + lean, height + 5), int(rng.integers(0, 150)), thick)


def draw_cartoon(strip: np.ndarray, rng: np.random.Generator) -> None:
    """Draw filled shapes with outlines, as of icons and cartoons, in place."""
    height, width = strip.shape
    for _ in range(int(rng.integers(1, 9))):
        turns = np.sort(rng.uniform(0, 2 * np.pi, int(rng.integers(3, 14))))
        reach = rng.uniform(8, 90) * rng.uniform(0.6, 1, turns.size)
        centre = rng.uniform((0, 0), (width, height))
        shape = (centre + reach[:, None] * np.stack([np.cos(turns), np.sin(turns)], axis=1)).astype(np.int32)
        cv2.fillPoly(strip, [shape], int(rng.integers(60, 256)))
        cv2.polylines(strip, [shape], True, int(rng.integers(0, 60)), int(rng.integers(1, 6)), cv2.LINE_AA)


def draw_segments(strip: np.ndarray, rng: np.random.Generator) -> None:
    """Draw the dials, keys and lamps of a device: circles and boxes in a row, in place."""
    step, radius = int(rng.integers(20, 90)), int(rng.integers(5, 40))
    for x in range(step // 2, strip.shape[1], step):
        grey, thick = int(rng.integers(0, 160)), int(rng.choice((-1, 1, 2, 4)))
        if rng.random() < 0.6:
            cv2.circle(strip, (x, STRIP_HEIGHT // 2), radius, grey, thick)
        else:
            cv2.rectangle(strip, (x - radius, 20), (x + radius, 76), grey, thick)
        if rng.random() < 0.5:
            cv2.line(strip, (x, STRIP_HEIGHT // 2), _point(rng.uniform((x - radius, 20), (x + radius, 76))), 0, 2)


def _point(point: np.ndarray) -> tuple[int, int]:
    return int(point[0]), int(point[1])


PATTERNS = (
    draw_rules,
    draw_dots,
    draw_staves,
    draw_noise,
    draw_shapes,
    draw_bars,
    draw_texture,
    draw_hatching,
    draw_bricks,
    draw_weave,
    draw_leaves,
    draw_wires,
    draw_cartoon,
    draw_segments,
)
