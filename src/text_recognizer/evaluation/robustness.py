"""Robustness: the CER of perturbed pages (rotated, blurred, shaded, inverted and so on), and of pages without text."""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from text_recognizer.core.metrics import error_rate
from text_recognizer.core.schemas import PerturbedScore, Robustness
from text_recognizer.corpora.packed_pages import PackedPage, PackedSplit
from text_recognizer.evaluation.scoring import score_transcription
from text_recognizer.inference import Recognizer
from text_recognizer.inference.packed_paragraphs import paragraph_picture
from text_recognizer.pages.normalisation import PAPER
from text_recognizer.pages.rotation import rotate

Picture = np.ndarray  # uint8 (H, W)


def blurred(picture: Picture, pixels: float) -> Picture:
    """Blur by a Gaussian of so many pixels."""
    return _array(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(pixels)))


def shaded(picture: Picture, share: float) -> Picture:
    """Add a shadow that grows from the left edge, none, to the right edge, `share` of the light."""
    return np.asarray(np.round(picture * np.linspace(1, 1 - share, picture.shape[1])), np.uint8)


def shifted(picture: Picture, share: float) -> Picture:
    """Add paper on the left and at the top, as `share` of the size of the page."""
    height, width = picture.shape
    return np.pad(picture, ((round(share * height), 0), (round(share * width), 0)), constant_values=PAPER)


def scaled(picture: Picture, factor: float) -> Picture:
    """Scale by a factor."""
    height, width = picture.shape
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return _array(Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC))


def inverted(picture: Picture, _: float) -> Picture:
    """Swap dark and light."""
    return np.asarray(PAPER - picture, np.uint8)


def compressed(picture: Picture, quality: float) -> Picture:
    """Compress as a JPEG of this quality."""
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", quality=round(quality))
    return _array(Image.open(stream))


def upside_down(picture: Picture, _: float) -> Picture:
    """Rotate by 180 degrees."""
    return np.ascontiguousarray(picture[::-1, ::-1])


def untouched(picture: Picture, _: float) -> Picture:
    """Return the picture itself: the baseline of the others."""
    return picture


@dataclass(frozen=True)
class Perturbation:
    """A way to degrade a page: `apply(picture, strength)`, the strengths to try, and their unit."""

    name: str
    apply: Callable[[Picture, float], Picture]
    strengths: tuple[float, ...]
    unit: str = ""

    def label(self, strength: float) -> str:
        """Return the name in the score and in `gate.max_perturbed`: `rotated 2`, or `inverted` if there is only one."""
        return self.name if len(self.strengths) == 1 else f"{self.name} {strength:g}"


PERTURBATIONS = (
    Perturbation("untouched", untouched, (0,)),
    Perturbation("rotated", rotate, (1, 2, 4), "degrees"),
    Perturbation("blurred", blurred, (0.5, 1, 1.5), "px"),
    Perturbation("shaded", shaded, (0.3, 0.6), "of the light"),
    Perturbation("shifted", shifted, (0.1, 0.3), "of the page"),
    Perturbation("scaled", scaled, (0.5, 2), "times"),
    Perturbation("inverted", inverted, (1,)),
    Perturbation("JPEG", compressed, (20,), "quality"),
    Perturbation("upside down", upside_down, (180,), "degrees"),
)


def measure_robustness(recognizer: Recognizer, packed: PackedSplit, count: int) -> Robustness:
    """Read `count` pages, spread evenly over the split, after each perturbation, and pages without text."""
    chosen = np.unique(np.linspace(0, len(packed) - 1, min(count, len(packed))).astype(int))
    pages = [packed.pages[index] for index in chosen]
    pictures = [
        paragraph_picture(np.asarray(packed.canvases[index]), packed.pages[index], recognizer.info.dpi)
        for index in chosen
    ]
    rows: list[PerturbedScore] = []
    rates: dict[str, float] = {}
    for one in PERTURBATIONS:
        for strength in one.strengths:
            cer = _cer(recognizer, pages, [one.apply(picture, strength) for picture in pictures])
            rows.append(PerturbedScore(name=one.name, strength=strength, unit=one.unit, cer=cer))
            rates[one.label(strength)] = cer
    blank = sum(len(recognizer.read(picture).text) for picture in blank_pages(pictures[0].shape))
    return Robustness(pages=len(pages), perturbed=tuple(rows), cer=rates, blank_characters=blank)


def labels() -> list[str]:
    """Return the labels of all perturbations and strengths, in their order."""
    return [one.label(strength) for one in PERTURBATIONS for strength in one.strengths]


def blank_pages(shape: Sequence[int]) -> list[Picture]:
    """Return pages without text: a white one, a grey one, and one of grainy paper with a shadow."""
    grain = np.random.default_rng(1).normal(225, 3, tuple(shape))
    return [
        np.full(tuple(shape), PAPER, np.uint8),
        np.full(tuple(shape), 128, np.uint8),
        shaded(np.clip(grain, 0, PAPER).astype(np.uint8), 0.1),
    ]


def _cer(recognizer: Recognizer, pages: Sequence[PackedPage], pictures: Sequence[Picture]) -> float:
    transcriptions = [recognizer.read(picture) for picture in pictures]
    return error_rate(
        [score_transcription(page, read).characters for page, read in zip(pages, transcriptions, strict=True)]
    )


def _array(picture: Image.Image) -> Picture:
    return np.asarray(picture.convert("L"))
