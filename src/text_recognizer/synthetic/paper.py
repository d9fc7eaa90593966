"""Turn the coverage of pen strokes into a scanned page: paper, ink and print.

*Coverage* is uint8 (H, W): 0 where there is no ink, 255 where a pixel is covered.
"""

from functools import lru_cache

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from text_recognizer.synthetic.sheet import (
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
from text_recognizer.synthetic.style import Style

TILE = 512  # px of the picture after which textures repeat
PRINT_GREY = 40
# Few grey levels, and grain on about one pixel in a hundred: noise in every pixel makes the files five times as large.
GREY_STEP = 4
GRAIN_THRESHOLD = 2.5  # standard deviations
INK_TEXTURE = 1.6  # px


def print_form(sheet: Sheet, number: str, prompt: list[str], written: float) -> np.ndarray:
    """Return the coverage, uint8 (H, W), of the print: IAM's prompt on a high page, else a number and a rule.

    The name field lies below `written`, the lowest y with ink, in pixels at 300 dpi.
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
    """Wrap the words into printed lines. A page without a prompt has none."""
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


def scan(
    handwriting: np.ndarray, printed: np.ndarray, style: Style, scale: float, rng: np.random.Generator
) -> np.ndarray:
    """Return the scanned page, uint8 (H, W) grey, for the coverage of handwriting and print, both (H, W)."""
    page = np.full(handwriting.shape, round(style.paper), dtype=np.uint8)
    _blend(page, printed, PRINT_GREY, scale)
    rows = _inked_rows(handwriting)
    shape = (rows.stop - rows.start, handwriting.shape[1])
    ink = cv2.resize(_noise(rng, (14, 20), 1), (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)
    ink = np.maximum(style.ink + ink * (5 + 0.12 * style.ink), 8)
    _blend(page, handwriting, ink, scale, _ink_share(shape, style, scale, rng))
    page //= GREY_STEP
    page *= GREY_STEP
    scanned: np.ndarray = cv2.add(page, _random_window(_sparse_grain(), handwriting.shape, rng), dtype=cv2.CV_8U)
    return scanned


def encode_png(page: np.ndarray) -> bytes:
    """Encode the page as an 8-bit grey PNG. Run lengths without a filter compress few grey levels best."""
    settings = [cv2.IMWRITE_PNG_COMPRESSION, 3, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE]
    _, png = cv2.imencode(".png", page, [*settings, cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_NONE])
    return png.tobytes()


def _blend(
    page: np.ndarray, coverage: np.ndarray, ink: np.ndarray | float, scale: float, kept: np.ndarray | float = 1.0
) -> None:
    """Blend ink into the page, in place. A blur softens its edges, as the optics of a scanner do.

    `kept` is the share of the ink that reaches the paper.
    """
    rows = _inked_rows(coverage)
    share = cv2.GaussianBlur(coverage[rows], (0, 0), max(0.5, 0.75 * scale)).astype(np.float32)
    share *= np.float32(1 / 255) * np.asarray(kept, dtype=np.float32)
    part = page[rows].astype(np.float32)
    part -= (part - ink) * share
    page[rows] = cv2.convertScaleAbs(part)


def _inked_rows(coverage: np.ndarray) -> slice:
    """Return the rows with ink, and a few more for the blur."""
    inked = np.flatnonzero(coverage.max(axis=1))
    if not len(inked):
        return slice(0, 1)
    return slice(max(0, int(inked[0]) - 4), min(len(coverage), int(inked[-1]) + 5))


def _ink_share(shape: tuple[int, int], style: Style, scale: float, rng: np.random.Generator) -> np.ndarray | float:
    """Return the share of the ink that reaches the paper. Under a dry pen the paper's texture shows through."""
    if not style.dryness:
        return 1.0
    texture = _random_window(_texture(INK_TEXTURE * scale), shape, rng)
    return 1 - np.clip(style.dryness * (texture * 0.6 + 0.3), 0, 0.75)


def _random_window(tile: np.ndarray, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Cut a window of `shape` at a random offset out of the repeated tile."""
    top, left = (int(offset) for offset in rng.integers(0, TILE, 2))
    rows, columns = (np.arange(size) + offset for size, offset in zip(shape, (top, left), strict=True))
    return np.take(np.take(tile, rows % TILE, axis=0), columns % TILE, axis=1)


@lru_cache(maxsize=4)
def _texture(sigma: float) -> np.ndarray:
    noise = cv2.GaussianBlur(_noise(np.random.default_rng((*b"texture",)), (TILE, TILE), 1), (0, 0), max(0.5, sigma))
    texture: np.ndarray = noise / noise.std()
    return texture


@lru_cache(maxsize=1)
def _sparse_grain() -> np.ndarray:
    noise = _texture(0.75)
    grain: np.ndarray = (np.sign(noise) * (np.abs(noise) > GRAIN_THRESHOLD) * GREY_STEP).astype(np.int8)
    return grain


def _noise(rng: np.random.Generator, shape: tuple[int, int], spread: float) -> np.ndarray:
    return rng.normal(0, spread, shape).astype(np.float32)
