"""The command that trains the classifier of text lines."""

import argparse
import logging
from pathlib import Path

from text_recognizer.cli.command_options import Commands, add
from text_recognizer.core.errors import ConfigError

GRAPH_NAME = "line_kind.onnx"


def add_commands(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add `train-line-kind`."""
    parser = add(
        commands, "train-line-kind", _train, "train the classifier that tells handwritten lines from printed ones"
    )
    corpus = "pages of handwriting: a folder with iamdb.zip, or with train.list and validation.list"
    parser.add_argument("--corpus", type=Path, nargs="+", required=True, metavar="FOLDER", help=corpus)
    parser.add_argument("--pictures", type=Path, required=True, metavar="FOLDER", help="pictures without text")
    fonts = "fonts of print and printed PDFs; no handwriting fonts"
    parser.add_argument("--fonts", type=Path, required=True, metavar="FOLDER", help=fonts)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help=f"{GRAPH_NAME}, in any folder")
    cache = "keep the strips of each source here, and take them from here the next time"
    parser.add_argument("--cache", type=Path, metavar="FOLDER", help=cache)
    parser.add_argument("--steps", type=int, default=2500, help="training steps (default: %(default)s)")
    parser.add_argument("--share", type=float, default=1.0, help="share of the pages that are used (default: 1)")


def _train(options: argparse.Namespace) -> int:
    if options.out.name != GRAPH_NAME:
        raise ConfigError(f"--out must end in {GRAPH_NAME}", f"write --out {options.out.parent / GRAPH_NAME}")
    from text_recognizer.data.line_kind_corpus import KindFolders
    from text_recognizer.pages.line_finding import ASSETS
    from text_recognizer.pages.text_detection import DETECTOR_FILE, TextDetector
    from text_recognizer.training.line_kind_training import KindTraining, train_and_export

    logging.basicConfig(level=logging.INFO, format="%(message)s")
    folders = KindFolders(tuple(options.corpus), options.pictures, options.fonts)
    training = KindTraining(steps=options.steps, share=options.share, cache=options.cache)
    info = train_and_export(folders, TextDetector.load(ASSETS / DETECTOR_FILE), training, options.out.parent)
    print(f"trained: {options.out}, {info.metrics['strips']} strips for validation")
    return 0
