"""The commands that read, serve, and show the parameters."""

import argparse
import json
import sys
from functools import partial
from pathlib import Path

from text_recognizer.cli.command_options import Commands, add, add_model
from text_recognizer.core.errors import TextRecognizerError
from text_recognizer.core.layout import LAYOUT


def add_commands(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add `read`, `serve`, `params` and `benchmark`."""
    read = add(commands, "read", _read, "print the text of pictures of handwriting")
    read.add_argument("pictures", nargs="+", type=Path, metavar="PICTURE", help="a PNG, JPEG, TIFF or WebP file")
    read.add_argument("--json", action="store_true", help="one JSON object per picture: lines, boxes, confidence")
    add_model(read)
    serve = add(commands, "serve", _serve, "serve the bento: a page to drop pictures on, and an HTTP interface")
    default = f"default: the model in service; else {LAYOUT.bento}; else the pretrained reader's"
    serve.add_argument("--bento", type=Path, metavar="FOLDER", help=default)
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on; default: %(default)s")
    serve.add_argument("--port", type=int, default=3000, help="default: %(default)s")
    params = add(commands, "params", _params, "list every parameter with its value, allowed range and meaning")
    what = "print params.yaml with the values of RECIPE, as YAML, instead"
    params.add_argument("--merge", type=Path, metavar="RECIPE", help=what)
    benchmark = add(commands, "benchmark", _benchmark, "time the parts, each against a reference in the same run")
    benchmark.add_argument("names", nargs="*", metavar="NAME", help="measurements to take; default: all")


def _read(options: argparse.Namespace) -> int:
    from text_recognizer.inference import Recognizer
    from text_recognizer.pages.opening import open_picture

    recognizer = Recognizer.load(options.model)
    status = 0
    for name in options.pictures:
        try:
            reading = recognizer.read(open_picture(name))
        except TextRecognizerError as error:
            print(f"text-recognizer read: {error}", file=sys.stderr)
            status = 1
            continue
        if options.json:
            named = {"model": recognizer.digest, "runtime": recognizer.runtime}
            answer = {"picture": str(name), **reading.to_record().model_dump(mode="json"), **named}
            print(json.dumps(answer, ensure_ascii=False))
        else:
            print(reading.text)
    return status


def _serve(options: argparse.Namespace) -> int:
    from text_recognizer.serving.selection import bento_to_serve
    from text_recognizer.serving.server import serve

    report = partial(print, flush=True)
    serve(options.bento or bento_to_serve(LAYOUT, report), options.host, options.port, report)
    return 0


def _params(options: argparse.Namespace) -> int:
    from text_recognizer.core import config

    print(config.merge_recipe(options.merge).rstrip() if options.merge else config.describe(config.load()))
    return 0


def _benchmark(options: argparse.Namespace) -> int:
    from text_recognizer.benchmarks import run

    run(options.names)
    return 0
