"""The entry point of `text-recognizer`: parse the arguments, run one command, turn errors into messages.

Nothing heavy is imported before a command runs, so that `--help` answers at once.
"""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

from text_recognizer import __version__
from text_recognizer.cli import (
    adapt_command,
    corpus_commands,
    line_kind_commands,
    operating_commands,
    pack_lines_command,
    reading_commands,
    registry_commands,
    scoring_commands,
    stage_commands,
)
from text_recognizer.cli.extras import missing_extra
from text_recognizer.core.errors import INTERRUPTED, TextRecognizerError
from text_recognizer.utils import telemetry


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command and exit with its status: 0, the error's own status, or 130 on Ctrl-C."""
    telemetry.disable_telemetry()
    signal.signal(signal.SIGTERM, _stop)
    options = build_parser().parse_args(arguments)
    try:
        status = options.run(options)
        sys.stdout.flush()
    except TextRecognizerError as error:
        status = _report(options.command, error)
    except ModuleNotFoundError as error:
        needed = missing_extra(error, options.command)
        if needed is None:
            raise
        status = _report(options.command, needed)
    except KeyboardInterrupt:
        print(f"text-recognizer {options.command}: interrupted; repeat the command to resume", file=sys.stderr)
        status = INTERRUPTED
    except BrokenPipeError:
        # The process that reads our output has ended (`| head`). Nothing is left to print or to flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 1
    except OSError as error:
        # A full disk, a folder without write permission: the system's message names it, a traceback would hide it.
        print(f"text-recognizer {options.command}: {error}", file=sys.stderr)
        status = 1
    sys.exit(status)


def _report(command: str, error: TextRecognizerError) -> int:
    """Print an error with its code, by which docs/troubleshooting.md is ordered, and return its exit status."""
    print(f"text-recognizer {command}: {error}\n  code: {error.code}", file=sys.stderr)
    return error.exit_status


def _stop(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line, with all commands."""
    parser = argparse.ArgumentParser(
        prog="text-recognizer",
        description="Learns to read pages of handwriting. The stages take their parameters from params.yaml.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    groups = (
        stage_commands,
        corpus_commands,
        pack_lines_command,
        adapt_command,
        reading_commands,
        scoring_commands,
        registry_commands,
        operating_commands,
        line_kind_commands,
    )
    for group in groups:
        group.add_commands(commands)
    return parser
