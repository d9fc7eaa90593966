"""The commands of the pipeline: one for each stage of `dvc.yaml`."""

import argparse
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from text_recognizer.cli.command_options import Command, Commands, add
from text_recognizer.core.errors import ConfigError, DataError
from text_recognizer.core.layout import LAYOUT

if TYPE_CHECKING:
    from text_recognizer.core.params import Params

DASK_FLOW = "flows.dask_crops"


def add_commands(commands: "Commands[argparse.ArgumentParser]") -> None:
    """Add one command for each stage."""
    for name, (run, summary) in STAGES.items():
        stage = add(commands, name, partial(_alone, run), summary)
        if name == "fetch":
            what = "instead: fetch EMNIST for the lab, 'nist' or the path or URL of its gzip.zip"
            stage.add_argument("--emnist", metavar="SOURCE", help=what)


def _alone(run: Command, options: argparse.Namespace) -> int:
    """Run a stage unless it is running already."""
    from text_recognizer.stages.stage_lock import stage_lock

    with stage_lock(options.command, LAYOUT, partial(print, flush=True)):
        return run(options)


def _params() -> "Params":
    """Load the parameters. Each stage does this first, so that a wrong one is refused before seconds of imports."""
    from text_recognizer.core import config

    return config.load()


def _fetch(options: argparse.Namespace) -> int:
    if options.emnist:
        from text_recognizer.acquisition.emnist_files import fetch_emnist

        fetch_emnist(options.emnist, LAYOUT.emnist)
        return 0
    params = _params()
    from text_recognizer.stages import fetch

    fetch.run(params, LAYOUT)
    return 0


def _find_lines(_: argparse.Namespace) -> int:
    params = _params()
    from text_recognizer.stages import find_lines

    found = [one.summary() for one in find_lines.run(params, LAYOUT)]
    print("\n".join(found) or "all sources are in IAM's layout, which says where the lines are")
    return 0


def _validate(_: argparse.Namespace) -> int:
    params = _params()
    from text_recognizer.stages import validate

    outcome = validate.run(params, LAYOUT)
    print(outcome.table())
    if not params.validate_.disjoint_writers:
        # No expectation lists writers in two splits then, so print them here.
        from text_recognizer.corpora.page_sources import page_sources
        from text_recognizer.corpora.splits import report_leaks

        print(report_leaks(page_sources(params.data, LAYOUT.raw, LAYOUT.found_lines), params.data.exclude))
    if not outcome.passed:
        raise DataError(
            "the data are not valid", f"open {LAYOUT.data_docs}/index.html; correct the forms it lists, or exclude them"
        )
    return 0


def _preprocess(_: argparse.Namespace) -> int:
    params = _params()
    if params.runtime.runner == "dask":
        return _preprocess_on_dask()
    from text_recognizer.stages import preprocess

    print(preprocess.run(params, LAYOUT).summary())
    return 0


def _preprocess_on_dask() -> int:
    """Run the flow that crops on a Dask cluster: Prefect's task runner distributes the work, and only flows use it.

    Raises ConfigError outside a clone of the project.
    """
    if not Path(*DASK_FLOW.split(".")).with_suffix(".py").is_file():
        raise ConfigError(
            "runtime.runner = 'dask' needs the project's flows/, which are not here",
            "run from the folder of a clone, or set runtime.runner to local",
        )
    return subprocess.run([sys.executable, "-m", DASK_FLOW], check=False).returncode


def _train(_: argparse.Namespace) -> int:
    params = _params()
    from text_recognizer.stages import train

    best = train.run(params, LAYOUT)
    print(f"trained: validation CER {best.validation_cer:.4f} at step {best.step}, kept in {LAYOUT.model}")
    return 0


def _evaluate(_: argparse.Namespace) -> int:
    params = _params()
    from text_recognizer.stages import evaluate

    score = evaluate.run(params, LAYOUT)
    low, high = score.cer_interval
    print(f"CER {score.cer:.4f} [{low:.4f}, {high:.4f}] on {score.pages} pages; report: {LAYOUT.report}")
    return 0


def _gate(_: argparse.Namespace) -> int:
    params = _params()
    from text_recognizer.release.gate_verdict import table
    from text_recognizer.stages import gate

    print(table(gate.run(params, LAYOUT)))
    return 0


def _bundle(_: argparse.Namespace) -> int:
    params = _params()
    from text_recognizer.stages import bundle

    bundled = bundle.run(params, LAYOUT)
    print(f"bundled: {bundled.tag} in {LAYOUT.bento}" if bundled.tag else f"not bundled: {bundled.rejection}")
    return 0


STAGES: dict[str, tuple[Command, str]] = {
    "fetch": (_fetch, "download the archives of the sources, or draw the built-in sample"),
    "find-lines": (_find_lines, "find the lines of pages that are not in IAM's layout"),
    "validate": (_validate, "check the archives with Great Expectations and write the Data Docs"),
    "preprocess": (_preprocess, "crop every form's paragraph and pack the splits"),
    "train": (_train, "train a reader, or resume a stopped training"),
    "evaluate": (_evaluate, "score the reader on the test split and write the report"),
    "gate": (_gate, "judge the score by the gate's rules and write the verdict"),
    "bundle": (_bundle, "build the bento from a model that passed; a rejected one leaves the bento as it is"),
}
