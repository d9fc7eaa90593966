"""The command `look`: show on an HTML page what was found on a picture, and what was read."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from text_recognizer.cli.command_options import Commands, add, add_model
from text_recognizer.core.errors import ConfigError

if TYPE_CHECKING:
    from text_recognizer.exporting.look_page import LookStep
    from text_recognizer.inference.page_reader import TracedPage


def add_look(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add the command `look`."""
    look = add(commands, "look", _look, "write an HTML page that shows the lines found on a picture, and their text")
    look.add_argument("picture", type=Path, metavar="PICTURE", help="a picture or a PDF")
    default = "default: the picture's name with .look.html, in this folder"
    look.add_argument("--output", type=Path, metavar="FILE", help=default)
    look.add_argument("--page", type=int, default=1, metavar="N", help="page of a PDF; default: %(default)s")
    add_model(look)


def _look(options: argparse.Namespace) -> int:
    from text_recognizer.exporting import PictureSource
    from text_recognizer.exporting.look_page import look_page
    from text_recognizer.inference import Recognizer
    from text_recognizer.pages.opening import open_pages
    from text_recognizer.utils.files import write_text

    out = options.output or Path(f"{options.picture.stem}.look.html")
    if out.resolve() == options.picture.resolve():
        raise ConfigError(f"{out} is the picture itself", "name another file with --output")
    (opened,) = open_pages(options.picture, pages=[options.page])
    recognizer = Recognizer.load(options.model)
    traced = recognizer.reader.trace(opened.rgb, printed=True)
    source = PictureSource(options.picture.name, opened.rgb, opened.number, opened.count, model=recognizer.digest)
    write_text(out, look_page(traced.transcription.to_record(), source, _strips(traced)))
    print(out)
    if not traced.transcription.text:
        print(f"text-recognizer look: no writing was found on {options.picture}", file=sys.stderr)
    return 0


def _strips(traced: "TracedPage") -> list["LookStep"]:
    """Return the strip of each line that was found, with what became of it."""
    from text_recognizer.exporting.look_page import LookStep
    from text_recognizer.inference.line_kind import KINDS

    upright = traced.found.upright
    numbers = {line.polygon: number for number, line in enumerate(traced.transcription.lines, start=1)}
    steps = []
    for strip, kind in zip(traced.found.strips, traced.kinds, strict=True):
        number = numbers.get(tuple(map(upright.point, strip.line.polygon())))
        title = f"line {number}, {KINDS[kind]}" if number else f"left out, {KINDS[kind]}"
        steps.append(LookStep(title, strip.pixels))
    return steps
