"""The command that packs lines of transcribed pages for training."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from text_recognizer.cli.command_options import Commands, add, add_model
from text_recognizer.core.errors import ConfigError, ModelError
from text_recognizer.core.layout import LAYOUT

if TYPE_CHECKING:
    import numpy as np

    from text_recognizer.preprocess.line_packing import ReadPage, ReadStrip


def add_commands(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add `pack-lines`."""
    parser = add(
        commands, "pack-lines", _pack_lines, "find the lines of transcribed pages, and pack them to train a reader"
    )
    parser.add_argument(
        "sources",
        nargs="+",
        type=Path,
        metavar="SOURCE",
        help="an archive in IAM's layout, or a folder with pictures and their texts: page.jpg and page.txt, a line of "
        "text for each line of the page. train.list and validation.list name its pages of each part",
    )
    add_model(parser)
    parser.add_argument(
        "--out", type=Path, default=LAYOUT.processed, metavar="FOLDER", help="is replaced; default: %(default)s"
    )
    parser.add_argument(
        "--validation",
        nargs="+",
        type=Path,
        default=[],
        metavar="SOURCE",
        help="default: the validation parts of the sources",
    )
    parser.add_argument("--seed", type=int, default=1, help="of the order and the degradations; default: %(default)s")
    parser.add_argument(
        "--page-share",
        type=float,
        default=0.25,
        metavar="SHARE",
        help="share of an archive's training forms to pack as whole pages too, 0 to 1; default: %(default)s",
    )


def _pack_lines(options: argparse.Namespace) -> int:
    from text_recognizer.core import config

    params = config.load()
    if not 0 <= options.page_share <= 1:
        raise ConfigError(f"--page-share {options.page_share} is not a share", "give a number from 0 to 1")
    if options.seed < 0:
        raise ConfigError(f"--seed {options.seed} is negative", "give a number from 0 on")
    from text_recognizer.preprocess.line_packing import LineSources, pack_lines

    sources = LineSources(tuple(options.sources), tuple(options.validation), options.page_share)
    read = page_reader(options.model)
    print(pack_lines(sources, params.data, params.preprocess, read, options.out, options.seed).summary())
    return 0


def page_reader(model: Path) -> "ReadPage":
    """Return a function that finds the lines of a page and reads them by greedy decoding.

    A language model would read words that are not there. Raises ModelError if the model cannot read strips.
    """
    from text_recognizer.inference import Recognizer
    from text_recognizer.inference.transcription import best_path, text_characters
    from text_recognizer.pages.line_finding import LineFinder
    from text_recognizer.pages.strips import STRIP_DPI
    from text_recognizer.preprocess.line_packing import ReadStrip

    finder, recognizer = LineFinder.load(), Recognizer.load(model)
    if recognizer.info.dpi != STRIP_DPI:
        raise ModelError(
            f"{model} reads pages of {recognizer.info.dpi} dpi, but lines have {STRIP_DPI}",
            "name a model of that resolution with --model, for instance the pretrained reader's",
        )

    def read(rgb: "np.ndarray") -> "Sequence[ReadStrip]":
        strips = [strip.pixels for strip in finder.find(rgb).strips]
        texts = [
            "".join(one.character for one in text_characters(best_path(scores)))
            for scores in recognizer.score_strips(strips)
        ]
        return [ReadStrip(pixels, text) for pixels, text in zip(strips, texts, strict=True)]

    return read
