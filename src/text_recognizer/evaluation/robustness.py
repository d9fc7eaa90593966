"""The same pages after what happens to pages: turned, blurred, shaded, inverted and so on, and pages without text."""

import io
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from PIL import Image, ImageFilter

from text_recognizer.data.packed import PackedSplit
from text_recognizer.evaluation.score import score_page
from text_recognizer.images import PAPER, ink_box, turned
from text_recognizer.inference import Recognizer
from text_recognizer.metrics import error_rate

Picture = np.ndarray  # uint8 (H, W)
MARGIN = 0.15  # of an inch of paper around the text, so that what is turned or moved stays on it


def blurred(picture: Picture, pixels: float) -> Picture:
    return _array(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(pixels)))


def shaded(picture: Picture, share: float) -> Picture:
    """A shadow that takes up to `share` of the light away, from the left edge to the right one."""
    return np.asarray(np.round(picture * np.linspace(1, 1 - share, picture.shape[1])), np.uint8)


def shifted(picture: Picture, share: float) -> Picture:
    """More paper left and above, as `share` of the page's size."""
    height, width = picture.shape
    return np.pad(picture, ((round(share * height), 0), (round(share * width), 0)), constant_values=PAPER)


def scaled(picture: Picture, factor: float) -> Picture:
    height, width = picture.shape
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return _array(Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC))


def inverted(picture: Picture, _: float) -> Picture:
    return np.asarray(PAPER - picture, np.uint8)


def compressed(picture: Picture, quality: float) -> Picture:
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", quality=round(quality))
    return _array(Image.open(stream))


def upside_down(picture: Picture, _: float) -> Picture:
    return np.ascontiguousarray(picture[::-1, ::-1])


def untouched(picture: Picture, _: float) -> Picture:
    return picture


# By the name in the score: what is done, its strengths, and the unit that they are in.
DISTURBANCES: dict[str, tuple[Callable[[Picture, float], Picture], tuple[float, ...], str]] = {
    "untouched": (untouched, (0,), ""),
    "rotated": (turned, (1, 2, 4), "degrees"),
    "blurred": (blurred, (0.5, 1, 1.5), "px"),
    "shaded": (shaded, (0.3, 0.6), "of the light"),
    "shifted": (shifted, (0.1, 0.3), "of the page"),
    "scaled": (scaled, (0.5, 2), "times"),
    "inverted": (inverted, (1,), ""),
    "JPEG": (compressed, (20,), "quality"),
    "upside down": (upside_down, (180,), "degrees"),
}


def robustness(recognizer: Recognizer, packed: PackedSplit, count: int) -> dict[str, Any]:
    """`disturbed`: rows of `name`, `strength`, `unit`, `cer`; `cer`: the same by name, to compare; `blank_characters`.

    `count` pages, spread evenly over the split, are read the way any picture is (`Recognizer.read`), so their CER is
    not that of the packed canvases even where they are untouched. `blank_characters` is what was read where no text is.
    """
    chosen = np.unique(np.linspace(0, len(packed) - 1, min(count, len(packed))).astype(int))
    pages = [packed.pages[index] for index in chosen]
    margin = round(MARGIN * recognizer.info.dpi)
    pictures = [_cut(np.asarray(packed.canvases[index]), margin) for index in chosen]
    rows = []
    for name, (change, strengths, unit) in DISTURBANCES.items():
        for strength in strengths:
            readings = [recognizer.read(change(picture, strength)) for picture in pictures]
            edits = [score_page(page, read).characters for page, read in zip(pages, readings, strict=True)]
            rows.append({"name": name, "strength": strength, "unit": unit, "cer": error_rate(edits)})
    blank = sum(len(recognizer.read(picture).text) for picture in blanks(pictures[0].shape))
    rates = {label(row): row["cer"] for row in rows}
    return {"pages": len(pages), "disturbed": rows, "cer": rates, "blank_characters": blank}


def label(row: dict[str, Any]) -> str:
    """A disturbance as `gate.max_robustness` and the score name it: `rotated 2`, `inverted`."""
    alone = len(DISTURBANCES[row["name"]][1]) == 1
    return row["name"] if alone else f"{row['name']} {row['strength']:g}"


def labels() -> list[str]:
    return [
        label({"name": name, "strength": strength})
        for name, (_, strengths, _) in DISTURBANCES.items()
        for strength in strengths
    ]


def blanks(shape: Sequence[int]) -> list[Picture]:
    """Pages without text: white, grey, and paper with grain and a shadow."""
    grain = np.random.default_rng(1).normal(225, 3, tuple(shape))
    return [
        np.full(tuple(shape), PAPER, np.uint8),
        np.full(tuple(shape), 128, np.uint8),
        shaded(np.clip(grain, 0, PAPER).astype(np.uint8), 0.1),
    ]


def _cut(canvas: Picture, margin: int) -> Picture:
    """The written part of a canvas with paper all around: as a person would photograph it, not as it was packed."""
    left, top, right, bottom = ink_box(canvas) or (0, 0, canvas.shape[1], canvas.shape[0])
    return np.pad(canvas[top:bottom, left:right], margin, constant_values=PAPER)


def _array(picture: Image.Image) -> Picture:
    return np.asarray(picture.convert("L"))
