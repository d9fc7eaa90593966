"""The commands that read, serve, and show the parameters."""

import argparse
from functools import partial
from pathlib import Path

from text_recognizer.cli.command_options import Commands, add
from text_recognizer.cli.look_command import add_look
from text_recognizer.cli.read_command import add_read
from text_recognizer.core.layout import LAYOUT, model_folder


def add_commands(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add `read`, `look`, `serve`, `params` and `benchmark`."""
    add_read(commands)
    add_look(commands)
    serve = add(commands, "serve", _serve, "serve the bento: a page to drop pictures on, and an HTTP interface")
    default = f"default: the model in service; else {LAYOUT.bento}; else the pretrained reader's"
    which = serve.add_mutually_exclusive_group()
    which.add_argument("--bento", type=Path, metavar="FOLDER", help=default)
    own = "a model with a verdict: its folder, or its name in models/, such as own/anna"
    which.add_argument("--model", type=model_folder, metavar="FOLDER", help=own)
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on; default: %(default)s")
    serve.add_argument("--port", type=int, default=3000, help="default: %(default)s")
    params = add(commands, "params", _params, "list every parameter with its value, allowed range and meaning")
    what = "print params.yaml with the values of RECIPE, as YAML, instead"
    params.add_argument("--merge", type=Path, metavar="RECIPE", help=what)
    benchmark = add(commands, "benchmark", _benchmark, "time the parts, each against a reference in the same run")
    benchmark.add_argument("names", nargs="*", metavar="NAME", help="measurements to take; default: all")


def _serve(options: argparse.Namespace) -> int:
    from text_recognizer.serving.selection import bento_to_serve
    from text_recognizer.serving.server import resolve, serve

    report = partial(print, flush=True)
    # A bento takes a minute to build, and a port that is in use is known before.
    resolve(options.host, options.port)
    bento = options.bento or bento_to_serve(LAYOUT, report, options.model)
    serve(bento, options.host, options.port, report)
    return 0


def _params(options: argparse.Namespace) -> int:
    from text_recognizer.core import config

    print(config.merge_recipe(options.merge).rstrip() if options.merge else config.describe(config.load()))
    return 0


def _benchmark(options: argparse.Namespace) -> int:
    from text_recognizer.benchmarks import run

    run(options.names)
    return 0
