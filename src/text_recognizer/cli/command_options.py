"""What the groups of commands share: how a command is added, and the options that several of them have."""

import argparse
from collections.abc import Callable

from text_recognizer.core.layout import model_folder, pretrained_model

Commands = argparse._SubParsersAction  # what ArgumentParser.add_subparsers returns
Command = Callable[[argparse.Namespace], int]


def add(
    commands: "Commands[argparse.ArgumentParser]", name: str, run: Command, summary: str
) -> argparse.ArgumentParser:
    """Add the command `name`; `run` takes the parsed options and returns the exit status."""
    parser = commands.add_parser(name, help=summary, description=summary)
    parser.set_defaults(run=run)
    return parser


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add `--model`, whose default is the same in every command: the pretrained reader."""
    what = "a model's folder, or its name in models/, such as own/anna; default: the pretrained reader"
    parser.add_argument("--model", type=model_folder, default=pretrained_model(), metavar="FOLDER", help=what)
