"""The command line: one sub-command per stage of the pipeline, plus read, serve, params and those of `commands`.

Nothing heavy is imported before a command runs, so that `--help` answers at once.
"""

import argparse
import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from text_recognizer import __version__, paths, privacy
from text_recognizer.commands import add_commands
from text_recognizer.errors import TextRecognizerError

if TYPE_CHECKING:
    from text_recognizer.config import Params
    from text_recognizer.preprocess import Spread

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]

Command = Callable[[argparse.Namespace], int]
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs one command; exits with 0, with 1 and a plain message on a problem, or with 130 on Ctrl-C."""
    privacy.silence()
    signal.signal(signal.SIGTERM, _stop)
    options = _parser().parse_args(arguments)
    try:
        status = options.run(options)
        sys.stdout.flush()
    except TextRecognizerError as error:
        print(f"text-recognizer {options.command}: {error}", file=sys.stderr)
        status = 1
    except KeyboardInterrupt:
        print(f"text-recognizer {options.command}: interrupted; repeat the command to go on", file=sys.stderr)
        status = INTERRUPTED
    except BrokenPipeError:
        # The reader of our output left (`| head`): nothing to say, and nothing more to flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = 1
    except OSError as error:
        # A full disk, a place that may not be written: the system's own words name it, a traceback would bury it.
        print(f"text-recognizer {options.command}: {error}", file=sys.stderr)
        status = 1
    sys.exit(status)


def _stop(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="text-recognizer",
        description="Learns to read paragraphs of handwriting. The stages take their parameters from params.yaml.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (run, summary) in STAGES.items():
        stage = _add(commands, name, run, summary)
        if name == "fetch":
            what = "instead: fetch EMNIST for the lab, 'nist' or the path or URL of its gzip.zip"
            stage.add_argument("--emnist", metavar="SOURCE", help=what)
    _add_read(commands)
    _add_serve(commands)
    _add_params(commands)
    _add_benchmark(commands)
    add_commands(partial(_add, commands))
    return parser


def _add(commands: "Commands", name: str, run: Command, summary: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=summary, description=summary)
    parser.set_defaults(run=run)
    return parser


def _add_read(commands: "Commands") -> None:
    parser = _add(commands, "read", _read, "print the text of pictures of handwriting")
    parser.add_argument("pictures", nargs="+", type=Path, metavar="PICTURE", help="a PNG, JPEG, TIFF or WebP file")
    parser.add_argument("--json", action="store_true", help="one JSON object a picture: lines, boxes, confidence")
    _add_model(parser)


def _add_serve(commands: "Commands") -> None:
    parser = _add(commands, "serve", _serve, "serve the bento: a page to drop pictures on, and an HTTP interface")
    parser.add_argument(
        "--bento",
        type=Path,
        metavar="FOLDER",
        help=f"default: the model in service; else {paths.BENTO}; else the pretrained model's",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on; default: %(default)s")
    parser.add_argument("--port", type=int, default=3000, help="default: %(default)s")


def _add_params(commands: "Commands") -> None:
    parser = _add(commands, "params", _params, "list every parameter with its value, allowed range and meaning")
    parser.add_argument(
        "--merge", type=Path, metavar="RECIPE", help="print params.yaml with the values of RECIPE, as YAML, instead"
    )


def _add_benchmark(commands: "Commands") -> None:
    parser = _add(commands, "benchmark", _benchmark, "time the parts, each against a reference in the same run")
    parser.add_argument("names", nargs="*", metavar="NAME", help="measurements to take; default: all")


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", type=Path, default=paths.PRETRAINED, metavar="FOLDER", help="default: %(default)s")


def _load_params() -> "Params":
    """Comes first in every stage: a wrong parameter is refused at once, before seconds of imports."""
    from text_recognizer import config

    return config.load()


def _fetch(options: argparse.Namespace) -> int:
    if options.emnist:
        from text_recognizer.data.emnist_files import fetch_emnist

        fetch_emnist(options.emnist, paths.EMNIST)
        return 0
    params = _load_params()
    from text_recognizer.data.fetch import fetch

    fetch(params.data, params.synthetic, paths.ARCHIVE)
    return 0


def _validate(_: argparse.Namespace) -> int:
    params = _load_params()
    from text_recognizer.files import write_json
    from text_recognizer.validation import validate

    outcome = validate(paths.ARCHIVE, params, paths.DATA_DOCS, paths.FEEDBACK, paths.ACCEPTED)
    print(outcome.table())
    if not params.validate_.writers_apart:  # no expectation says then what leaks
        from text_recognizer.data.splits import report_leaks

        print(report_leaks(paths.ARCHIVE, params.data.split, params.data.exclude))
    write_json(paths.VALIDATION, outcome.summary)
    if not outcome.passed:
        raise TextRecognizerError(
            "the data are not valid", f"open {paths.DATA_DOCS}/index.html; mend the forms it lists, or exclude them"
        )
    write_json(paths.ACCEPTED, outcome.reference)
    return 0


def _preprocess(_: argparse.Namespace) -> int:
    params = _load_params()
    from text_recognizer.preprocess import stage

    if params.preprocess.runner == "dask":
        return stage.hand_over()
    preprocess(params)
    return 0


def preprocess(params: "Params", spread: "Spread | None" = None) -> None:
    """The stage itself, wherever its forms are cropped."""
    from functools import partial

    from text_recognizer.preprocess import pack, stage
    from text_recognizer.validation import check_crops

    check = partial(check_crops, section=params.preprocess, docs=paths.CROP_DOCS)
    corrections = stage.accepted_corrections(paths.FEEDBACK, paths.VALIDATION)
    sections = params.data, params.preprocess
    packed = pack(paths.ARCHIVE, *sections, paths.PROCESSED, corrections, params.synthetic, spread, check)
    print(packed.in_words())


def _train(_: argparse.Namespace) -> int:
    params = _load_params()
    from text_recognizer.evaluation import calibrate
    from text_recognizer.training import train

    def finish(model: Path) -> None:
        found = calibrate(model, paths.PROCESSED)
        print(f"calibrated on the validation split: temperature {found['temperature']}, power {found['power']}")

    sections = params.train, params.preprocess, params.language
    best = train(paths.PROCESSED, *sections, paths.MODEL, paths.CURVES, paths.SCRATCH, finish)
    print(f"trained: validation CER {best['validation/cer']:.4f} at step {best['step']}, kept in {paths.MODEL}")
    return 0


def _evaluate(_: argparse.Namespace) -> int:
    section = _load_params().evaluate
    from text_recognizer.evaluation import evaluate, log_score

    reports = paths.SCORE, paths.PAGES, paths.REPORT, paths.CONFUSIONS, paths.CURVES
    score = evaluate(paths.PROCESSED, paths.MODEL, section, *reports)
    log_score(score, paths.REPORT, paths.MODEL)
    low, high = score["cer_interval"]
    print(f"CER {score['cer']:.4f} [{low:.4f}, {high:.4f}] on {score['pages']} pages; report: {paths.REPORT}")
    return 0


def _gate(_: argparse.Namespace) -> int:
    section = _load_params().gate
    from text_recognizer.evaluation import gate, verdict_table

    print(verdict_table(gate(paths.SCORE, section, paths.VERDICT)))
    return 0


def _bundle(_: argparse.Namespace) -> int:
    from text_recognizer.serving.bundle import bundle

    print(f"bundled: {bundle(paths.MODEL, paths.VERDICT, paths.BENTO)} in {paths.BENTO}")
    return 0


def _read(options: argparse.Namespace) -> int:
    from text_recognizer.images import open_picture
    from text_recognizer.inference import Recognizer

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
            answer = {"picture": str(name), **reading.as_dict(), **named}
            print(json.dumps(answer, ensure_ascii=False))
        else:
            print(reading.text)
    return status


def _serve(options: argparse.Namespace) -> int:
    from text_recognizer.serving.bundle import bundle
    from text_recognizer.serving.serve import serve

    bento = options.bento or paths.BENTO
    if not options.bento and paths.CHAMPION.exists():
        bento = paths.CHAMPION_BENTO
        print(f"serve: bundling the model in service in {bento}", flush=True)
        bundle(paths.CHAMPION, paths.CHAMPION / paths.VERDICT.name, bento)
    if not options.bento and not bento.exists() and paths.PRETRAINED.exists():
        bento = paths.PRETRAINED_BENTO
        print(f"serve: no model of your own was accepted yet; bundling the pretrained one in {bento}", flush=True)
        bundle(paths.PRETRAINED, paths.PRETRAINED_VERDICT, bento)
    serve(bento, options.host, options.port)
    return 0


def _params(options: argparse.Namespace) -> int:
    from text_recognizer import config

    print(config.merged(options.merge).rstrip() if options.merge else config.describe(config.load()))
    return 0


def _benchmark(options: argparse.Namespace) -> int:
    from text_recognizer.benchmarks import run

    run(options.names)
    return 0


STAGES: dict[str, tuple[Command, str]] = {
    "fetch": (_fetch, "bring the archive, or make the built-in sample"),
    "validate": (_validate, "check the archive with Great Expectations and write the Data Docs"),
    "preprocess": (_preprocess, "crop every form's paragraph and pack the splits"),
    "train": (_train, "train a reader, going on from where a stopped run ended"),
    "evaluate": (_evaluate, "score the reader on the test split and write the report"),
    "gate": (_gate, "judge the score by the gate's rules and write the verdict"),
    "bundle": (_bundle, "build the bento from a model that passed"),
}
