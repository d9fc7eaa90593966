"""Draw pictures without handwriting: printed pages, empty paper, charts, mosaics, clouds. A seed repeats them.

The fonts are those of Pillow and of OpenCV, which come with the package, or those of a folder.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from text_recognizer.synthetic.prose import prose_by_split

WHITE = 255
WIDTH, HEIGHT = (600, 1200), (500, 1500)  # pixels of a picture
SIZES = (16, 44)  # pixels of a font
MARGIN = 60
STROKE_FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_TRIPLEX)
FONT_SUFFIXES = (".ttf", ".otf")


@dataclass(frozen=True, eq=False)
class EmptyPicture:
    """A picture without handwriting, uint8 RGB (H, W, 3), its class and its name."""

    kind: str
    name: str
    rgb: np.ndarray


def draw_pictures(count: int, seed: int = 1, fonts: Sequence[Path] = ()) -> Iterator[EmptyPicture]:
    """Yield `count` pictures of each class. Equal arguments give equal pictures."""
    for number, (kind, draw) in enumerate(_drawers(fonts).items()):
        for index in range(count):
            rng = np.random.default_rng((seed, number, index))
            page = draw(rng)
            photographed = photograph(page, rng) if rng.random() < 0.6 else page
            yield EmptyPicture(kind, f"{kind}_{index:02d}", photographed)


def fonts_of(folder: Path | None) -> list[Path]:
    """Return the fonts below a folder, sorted; none without a folder."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in FONT_SUFFIXES) if folder else []


def printed_page(rng: np.random.Generator, fonts: Sequence[Path] = ()) -> np.ndarray:
    """Print a page of prose with a heading and a page number in one font; some pages are white on black."""
    page = _paper(rng)
    size = int(rng.integers(*SIZES))
    write = _stroke_writer(rng, size) if rng.random() < 0.3 and not fonts else _font_writer(rng, size, fonts)
    words, right = prose_by_split(1)["test"].words(int(rng.integers(100)), rng), page.shape[1] - MARGIN
    y = MARGIN
    while y < page.shape[0] - MARGIN - size:
        line = next(words)
        while write(None, line, (0, 0)) < right - 2 * MARGIN - 3 * size:
            line += " " + next(words)
        write(page, line.upper()[:20] if y == MARGIN else line, (MARGIN, y))
        y += int(1.5 * size)
    write(page, str(rng.integers(1, 400)), (page.shape[1] // 2, page.shape[0] - MARGIN // 2 - size))
    return WHITE - page if rng.random() < 0.12 else page


def empty_paper(rng: np.random.Generator) -> np.ndarray:
    """Draw blank, ruled, squared or dotted paper, or an empty table."""
    page, step = _paper(rng), int(rng.integers(18, 70))
    colour, thick = tuple(map(int, rng.integers(80, 200, 3))), int(rng.integers(1, 3))
    kind = int(rng.integers(5))
    rows, columns = range(MARGIN, page.shape[0], step), range(MARGIN, page.shape[1], step * (3 if kind == 4 else 1))
    if kind == 3:
        for y in rows:
            for x in columns:
                cv2.circle(page, (x, y), 2, colour, -1)
    elif kind:
        for y in rows:
            cv2.line(page, (0, y), (page.shape[1], y), colour, thick)
        for x in columns if kind > 1 else [MARGIN]:
            cv2.line(page, (x, 0), (x, page.shape[0]), colour, thick)
    return page


def chart(rng: np.random.Generator) -> np.ndarray:
    """Draw axes with bars, a curve and a legend's lines, without a word."""
    page = _paper(rng)
    height, width = page.shape[:2]
    cv2.arrowedLine(page, (MARGIN, height - MARGIN), (width - MARGIN, height - MARGIN), (0, 0, 0), 2, tipLength=0.02)
    cv2.arrowedLine(page, (MARGIN, height - MARGIN), (MARGIN, MARGIN), (0, 0, 0), 2, tipLength=0.02)
    for x in range(MARGIN + 30, width - MARGIN - 30, int(rng.integers(30, 90))):
        top, colour = int(rng.integers(2 * MARGIN, height - MARGIN)), tuple(map(int, rng.integers(0, 220, 3)))
        cv2.rectangle(page, (x, top), (x + 20, height - MARGIN), colour, -1)
    across = np.linspace(MARGIN, width - MARGIN, 60)
    curve = np.stack([across, np.cumsum(rng.normal(0, height / 40, 60)) + height / 2], axis=1)
    cv2.polylines(page, [curve.astype(np.int32)], False, (200, 30, 30), 3, cv2.LINE_AA)
    return page


def mosaic(rng: np.random.Generator) -> np.ndarray:
    """Draw tiles of many colours around points at random, as of stained glass, foliage or a wall."""
    height, width = _size(rng)
    points = rng.uniform((0, 0), (width, height), (int(rng.integers(60, 900)), 2)).astype(np.float32)
    plan = cv2.Subdiv2D((-width, -height, 3 * width, 3 * height))
    plan.insert([(float(x), float(y)) for x, y in points])
    tiles, _ = plan.getVoronoiFacetList([])
    page = np.zeros((height, width, 3), np.uint8)
    for tile in tiles:
        cv2.fillConvexPoly(page, np.asarray(tile, np.int32), tuple(map(int, rng.integers(0, 256, 3))), cv2.LINE_AA)
        if rng.random() < 0.5:
            cv2.polylines(page, [np.asarray(tile, np.int32)], True, (20, 20, 20), 2, cv2.LINE_AA)
    return page


def clouds(rng: np.random.Generator) -> np.ndarray:
    """Draw smooth noise of several scales, some of it striped as wood or water is."""
    height, width = _size(rng)
    total = np.zeros((height, width), np.float32)
    for scale in (8, 30, 120):
        shape = height // scale + 2, width // int(scale * rng.choice((1, 6))) + 2
        small = rng.standard_normal(shape, dtype=np.float32)
        total += cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC) * scale**0.5
    if rng.random() < 0.5:
        total = np.sin(total / rng.uniform(0.5, 4))
    grey = cv2.normalize(total, None, 0, 255, cv2.NORM_MINMAX)
    tint = rng.uniform(0.5, 1, 3)
    return np.asarray(grey[:, :, None] * tint).astype(np.uint8)


def photograph(page: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Lay a page on a table and take a photo of it: from the side, with a shadow, blur and noise."""
    margin = int(0.08 * page.shape[1])
    table = tuple(map(int, rng.integers(20, 130, 3)))
    wide = cv2.copyMakeBorder(page, margin, margin, margin, margin, cv2.BORDER_CONSTANT, value=table)
    height, width = wide.shape[:2]
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    moved = corners + rng.normal(0, 0.02 * width, (4, 2)).astype(np.float32)
    turn = cv2.getPerspectiveTransform(corners, moved)
    photo = cv2.warpPerspective(wide, turn, (width, height), borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
    shadow = cv2.resize(rng.uniform(0.5, 1, (3, 3)), (width, height), interpolation=cv2.INTER_CUBIC)
    photo = cv2.GaussianBlur(photo * shadow[:, :, None], (0, 0), float(rng.uniform(0.3, 1.4)))
    return np.asarray(np.clip(photo + rng.normal(0, rng.uniform(1, 7), photo.shape), 0, WHITE)).astype(np.uint8)


def _drawers(fonts: Sequence[Path]) -> dict[str, Callable[[np.random.Generator], np.ndarray]]:
    return {
        "printed": lambda rng: printed_page(rng, fonts),
        "paper": empty_paper,
        "chart": chart,
        "mosaic": mosaic,
        "clouds": clouds,
    }


Writer = Callable[[np.ndarray | None, str, tuple[int, int]], float]


def _font_writer(rng: np.random.Generator, size: int, fonts: Sequence[Path]) -> Writer:
    """Return a function that prints a text at a place on a page, if there is one, and returns the text's length."""
    font = (
        ImageFont.truetype(str(fonts[int(rng.integers(len(fonts)))]), size) if fonts else ImageFont.load_default(size)
    )
    ink = tuple(map(int, rng.integers(0, 80, 3)))

    def write(page: np.ndarray | None, text: str, place: tuple[int, int]) -> float:
        if page is not None:
            picture = Image.fromarray(page)
            ImageDraw.Draw(picture).text(place, text, fill=ink, font=font)
            page[:] = np.asarray(picture)
        return float(font.getlength(text))

    return write


def _stroke_writer(rng: np.random.Generator, size: int) -> Writer:
    """Return such a function for a font of OpenCV."""
    face, italic = int(rng.choice(STROKE_FONTS)), int(rng.choice((0, cv2.FONT_ITALIC)))
    scale, thick = size / 34, max(1, size // 18)

    def write(page: np.ndarray | None, text: str, place: tuple[int, int]) -> float:
        if page is not None:
            low = place[0], place[1] + size
            cv2.putText(page, text, low, face | italic, scale, (30, 30, 30), thick, cv2.LINE_AA)
        return float(cv2.getTextSize(text, face | italic, scale, thick)[0][0])

    return write


def _paper(rng: np.random.Generator) -> np.ndarray:
    return np.full((*_size(rng), 3), rng.integers(215, 256, 3), np.uint8)


def _size(rng: np.random.Generator) -> tuple[int, int]:
    return int(rng.integers(*HEIGHT)), int(rng.integers(*WIDTH))
