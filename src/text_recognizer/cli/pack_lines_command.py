"""The command that packs lines of transcribed pages for training."""

import argparse
from pathlib import Path
from typing import get_args

from text_recognizer.cli.command_options import Commands, add, add_model
from text_recognizer.core.data_params import IamSplit
from text_recognizer.core.errors import ConfigError
from text_recognizer.core.layout import LAYOUT


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
    parser.add_argument(
        "--split",
        choices=get_args(IamSplit),
        default="aachen",
        help="of archives in IAM's layout; default: %(default)s",
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
    from text_recognizer.stages.strip_reader import page_reader

    sources = LineSources(tuple(options.sources), tuple(options.validation), options.page_share, options.split)
    read = page_reader(options.model)
    print(pack_lines(sources, params.preprocess, read, options.out, options.seed).summary())
    return 0
