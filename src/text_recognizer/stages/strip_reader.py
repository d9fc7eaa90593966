"""Read pages to match their lines with texts that are known: what several stages and commands share."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from text_recognizer.core.errors import ModelError
from text_recognizer.inference import Recognizer
from text_recognizer.inference.transcription import best_path, text_characters
from text_recognizer.pages.line_finding import LineFinder
from text_recognizer.pages.strips import STRIP_DPI
from text_recognizer.preprocess.line_packing import ReadPage, ReadStrip


def line_reader(model: Path) -> Callable[[Sequence[np.ndarray]], list[str]]:
    """Return a function that reads strips by greedy decoding: a language model would read words that are not there.

    Raises ModelError if the model cannot read strips.
    """
    recognizer = Recognizer.load(model)
    if recognizer.info.dpi != STRIP_DPI:
        raise ModelError(
            f"{model} reads pages of {recognizer.info.dpi} dpi, but lines have {STRIP_DPI}",
            "name a model of that resolution with --model, for instance the pretrained reader's",
        )

    def read(strips: Sequence[np.ndarray]) -> list[str]:
        return [
            "".join(one.character for one in text_characters(best_path(scores)))
            for scores in recognizer.score_strips(strips)
        ]

    return read


def page_reader(model: Path) -> ReadPage:
    """Return a function that finds the lines of a page and reads them. Raises ModelError as `line_reader`."""
    finder, read_lines = LineFinder.load(), line_reader(model)

    def read(rgb: np.ndarray) -> Sequence[ReadStrip]:
        strips = [strip.pixels for strip in finder.find(rgb).strips]
        return [ReadStrip(pixels, text) for pixels, text in zip(strips, read_lines(strips), strict=True)]

    return read
