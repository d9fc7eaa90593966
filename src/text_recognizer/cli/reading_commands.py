"""The commands that read, serve, and show the parameters."""

import argparse
from pathlib import Path

from text_recognizer.cli.command_options import Commands, add
from text_recognizer.cli.feedback_command import add_feedback
from text_recognizer.cli.look_command import add_look
from text_recognizer.cli.read_command import add_read
from text_recognizer.cli.serve_command import add_serve


def add_commands(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add `read`, `look`, `serve`, `feedback`, `params` and `benchmark`."""
    add_read(commands)
    add_look(commands)
    add_serve(commands)
    add_feedback(commands)
    params = add(commands, "params", _params, "list every parameter with its value, allowed range and meaning")
    what = "print params.yaml with the values of RECIPE, as YAML, instead"
    params.add_argument("--merge", type=Path, metavar="RECIPE", help=what)
    benchmark = add(commands, "benchmark", _benchmark, "time the parts, each against a reference in the same run")
    benchmark.add_argument("names", nargs="*", metavar="NAME", help="measurements to take; default: all")


def _params(options: argparse.Namespace) -> int:
    from text_recognizer.core import config

    print(config.merge_recipe(options.merge).rstrip() if options.merge else config.describe(config.load()))
    return 0


def _benchmark(options: argparse.Namespace) -> int:
    from text_recognizer.benchmarks import run

    run(options.names)
    return 0
