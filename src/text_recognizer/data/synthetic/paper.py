"""From coverage to a scanned page: paper, ink, and print."""

from functools import lru_cache

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from text_recognizer.data.synthetic.sheet import (
    CLEAR,
    HEADER_RULE,
    NAME_RULE,
    NUMBER_SIZE,
    PROMPT_PITCH,
    PROMPT_RULE,
    PROMPT_SIZE,
    PROMPT_TOP,
    RULE,
    Sheet,
)
from text_recognizer.data.synthetic.style import Style

TILE = 512  # px of the picture: textures repeat after that
PRINT_GREY = 40
# Few greys, and grain on about one pixel in a hundred: noise in every pixel would make the files five times as large.
GREY_STEP = 4
SPARSE = 2.5  # standard deviations
INK_TEXTURE = 1.6  # px


def print_form(sheet: Sheet, number: str, prompt: list[str], written: float) -> np.ndarray:
    """Coverage uint8 (H, W) of what stands in print: IAM's prompt on a high page, a number and a rule on a small one.

    The name field stands below `written`, the lowest place with ink.
    """
    height, width = sheet.shape
    page = Image.new("L", (width, height), 0)
    left, right = 0.121 * sheet.width, 0.9 * sheet.width
    if not sheet.has_prompt:
        _rule(page, sheet, 0.06 * sheet.width, 0.94 * sheet.width, HEADER_RULE)
        _print(page, sheet, 0.94 * sheet.width - 130, HEADER_RULE - 40, number, NUMBER_SIZE)
        return np.asarray(page)
    _print(page, sheet, left + 40, PROMPT_RULE - 95, "Sentence Database", PROMPT_SIZE)
    _print(page, sheet, right - 280, PROMPT_RULE - 95, number, PROMPT_SIZE)
    for index, line in enumerate(prompt):
        _print(page, sheet, left + 30, PROMPT_TOP + index * PROMPT_PITCH, line, PROMPT_SIZE)
    name = max(NAME_RULE * sheet.height, written + CLEAR)
    for y in (PROMPT_RULE, sheet.header(len(prompt)) - RULE, name):
        _rule(page, sheet, left, right, y)
    _print(page, sheet, left + 30, name + 30, "Name:", PROMPT_SIZE)
    return np.asarray(page)


def wrap_prompt(sheet: Sheet, words: list[str]) -> list[str]:
    """The words as printed lines; none on a page without a prompt."""
    if not sheet.has_prompt:
        return []
    font, width = _font(PROMPT_SIZE), 0.75 * sheet.width
    lines = [""]
    for word in words:
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _print(page: Image.Image, sheet: Sheet, x: float, y: float, text: str, size: int) -> None:
    font = _font(size * sheet.scale)
    ImageDraw.Draw(page).text((x * sheet.scale, y * sheet.scale), text, font=font, fill=255)


def _rule(page: Image.Image, sheet: Sheet, left: float, right: float, y: float) -> None:
    box = [round(edge * sheet.scale) for edge in (left, y, right, y + RULE - 1)]
    ImageDraw.Draw(page).rectangle(box, fill=255)


@lru_cache(maxsize=8)
def _font(size: float) -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(size)


def scan(hand: np.ndarray, printed: np.ndarray, style: Style, scale: float, rng: np.random.Generator) -> np.ndarray:
    """The page as a scanner sees it, uint8 (H, W): `hand` and `printed` are coverage of the same shape."""
    page = np.full(hand.shape, round(style.paper), dtype=np.uint8)
    _lay(page, printed, PRINT_GREY, scale)
    rows = _rows(hand)
    shape = (rows.stop - rows.start, hand.shape[1])
    ink = cv2.resize(_noise(rng, (14, 20), 1), (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    ink = np.maximum(style.ink + ink * (5 + 0.12 * style.ink), 8)
    _lay(page, hand, ink, scale, _starved(shape, style, scale, rng))
    page //= GREY_STEP
    page *= GREY_STEP
    return cv2.add(page, _window(_sparse_grain(), hand.shape, rng), dtype=cv2.CV_8U)


def encode_png(page: np.ndarray) -> bytes:
    """The page as an 8-bit grey PNG; run lengths without a filter suit its few greys best."""
    settings = [cv2.IMWRITE_PNG_COMPRESSION, 3, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE]
    _, png = cv2.imencode(".png", page, [*settings, cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_NONE])
    return png.tobytes()


def _lay(
    page: np.ndarray, coverage: np.ndarray, ink: np.ndarray | float, scale: float, kept: np.ndarray | float = 1.0
) -> None:
    """Blends ink into the page, in place, in the rows that hold any; the scanner's optics soften its edges."""
    rows = _rows(coverage)
    share = cv2.GaussianBlur(coverage[rows], (0, 0), max(0.5, 0.75 * scale)).astype(np.float32)
    share *= np.float32(1 / 255) * np.asarray(kept, dtype=np.float32)
    part = page[rows].astype(np.float32)
    part -= (part - ink) * share
    page[rows] = cv2.convertScaleAbs(part)


def _rows(coverage: np.ndarray) -> slice:
    """The rows with ink, and a few around them for the blur."""
    inked = np.flatnonzero(coverage.max(axis=1))
    if not len(inked):
        return slice(0, 1)
    return slice(max(0, int(inked[0]) - 4), min(len(coverage), int(inked[-1]) + 5))


def _starved(shape: tuple[int, int], style: Style, scale: float, rng: np.random.Generator) -> np.ndarray | float:
    """Share of the ink that reaches the paper: where a pen runs dry, the paper's texture shows through."""
    if not style.starved:
        return 1.0
    texture = _window(_texture(INK_TEXTURE * scale), shape, rng)
    return 1 - np.clip(style.starved * (texture * 0.6 + 0.3), 0, 0.75)


def _window(tile: np.ndarray, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """A random piece of the endlessly repeated tile."""
    top, left = (int(offset) for offset in rng.integers(0, TILE, 2))
    rows, columns = (np.arange(size) + offset for size, offset in zip(shape, (top, left), strict=True))
    return np.take(np.take(tile, rows % TILE, axis=0), columns % TILE, axis=1)


@lru_cache(maxsize=4)
def _texture(sigma: float) -> np.ndarray:
    noise = cv2.GaussianBlur(_noise(np.random.default_rng((*b"texture",)), (TILE, TILE), 1), (0, 0), max(0.5, sigma))
    return noise / noise.std()


@lru_cache(maxsize=1)
def _sparse_grain() -> np.ndarray:
    noise = _texture(0.75)
    return (np.sign(noise) * (np.abs(noise) > SPARSE) * GREY_STEP).astype(np.int8)


def _noise(rng: np.random.Generator, shape: tuple[int, int], spread: float) -> np.ndarray:
    return rng.normal(0, spread, shape).astype(np.float32)
