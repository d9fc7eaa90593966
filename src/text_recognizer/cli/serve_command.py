"""The command that serves a bento."""

import argparse
import os
from functools import partial
from pathlib import Path

from text_recognizer.cli.command_options import Commands, add
from text_recognizer.core.layout import LAYOUT, model_folder


def add_serve(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add `serve`."""
    serve = add(commands, "serve", _serve, "serve the bento: a page to drop pictures on, and an HTTP interface")
    default = f"default: the model in service; else {LAYOUT.bento}; else the pretrained reader's"
    which = serve.add_mutually_exclusive_group()
    which.add_argument("--bento", type=Path, metavar="FOLDER", help=default)
    own = "a model with a verdict: its folder, or its name in models/, such as own/anna"
    which.add_argument("--model", type=model_folder, metavar="FOLDER", help=own)
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on; default: %(default)s")
    serve.add_argument("--port", type=int, default=3000, help="default: %(default)s")
    tokens = "let in only who has a token of this file: a line for each, NAME ROLE TOKEN; roles: read, correct, admin"
    serve.add_argument("--tokens", type=Path, metavar="FILE", help=tokens)
    rate = "how many pictures, jobs and corrections a token or an address may send a minute; default: any number"
    serve.add_argument("--rate", type=int, metavar="N", help=rate)
    review = "keep corrections from the training until `text-recognizer feedback accept` lets them in"
    serve.add_argument("--review", action="store_true", help=review)
    serve.add_argument("--root-path", metavar="PATH", help="where a proxy shows the service, such as /reader")
    origin = "another site whose pages may read answers, such as https://pages.example.org; may be repeated"
    serve.add_argument("--allow-origin", action="append", metavar="ORIGIN", help=origin)


def _serve(options: argparse.Namespace) -> int:
    from text_recognizer.serving.selection import bento_to_serve
    from text_recognizer.serving.server import resolve, serve

    report = partial(print, flush=True)
    # A bento takes a minute to build, and a port that is in use is known before.
    resolve(options.host, options.port)
    bento = options.bento or bento_to_serve(LAYOUT, report, options.model)
    serve(bento, options.host, options.port, report, settings_of(options))
    return 0


def settings_of(options: argparse.Namespace) -> dict[str, str]:
    """Return the options as environment variables of the server."""
    from text_recognizer.serving.correction_store import REVIEW_VARIABLE
    from text_recognizer.serving.settings import ORIGINS_VARIABLE, RATE_VARIABLE, ROOT_PATH_VARIABLE
    from text_recognizer.serving.takeover import CHAMPION_VARIABLE
    from text_recognizer.serving.tokens import TOKENS_FILE_VARIABLE

    fixed = options.bento or options.model or CHAMPION_VARIABLE in os.environ
    given = {
        CHAMPION_VARIABLE: None if fixed else LAYOUT.champion.resolve(),
        TOKENS_FILE_VARIABLE: options.tokens and options.tokens.resolve(),
        RATE_VARIABLE: options.rate,
        ROOT_PATH_VARIABLE: options.root_path,
        ORIGINS_VARIABLE: ",".join(options.allow_origin) if options.allow_origin else None,
        REVIEW_VARIABLE: "1" if options.review else None,
    }
    return {name: str(value) for name, value in given.items() if value is not None}
