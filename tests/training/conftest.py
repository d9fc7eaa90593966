"""A tiny packed corpus of print, a run that takes seconds, and one finished run that the tests share."""

import contextlib
import io
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from text_recognizer.training.fit import TrainingFiles, TrainingPlan, TrainingResult, train

TRAIN = [("to be", "or not"), ("a sea",), ("of ink", "pens"), ("the cat",), ("sat on", "a mat"), ("and so",)]
VALIDATION = [("to sea",), ("a pen", "or not")]


@dataclass(frozen=True)
class FinishedRun:
    """A run: its files, what it returned, and what it printed."""

    files: TrainingFiles
    result: TrainingResult
    printed: str


@pytest.fixture(scope="session")
def processed(printed_split, tmp_path_factory):
    folder = tmp_path_factory.mktemp("processed")
    printed_split(TRAIN).save(folder, "train")
    printed_split(VALIDATION).save(folder, "validation")
    return folder


@pytest.fixture(scope="session")
def plan(params, small_crops) -> TrainingPlan:
    """Four epochs of two steps, with everything that is random or that carries over from step to step."""
    small = {
        "channels": (4, 4, 8, 8), "dropout": 0.2, "steps": 8, "num_validations": 4, "batch_size": 2, "augment": 0.5,
        "accelerator": "cpu", "precision": "32", "learning_rate": 0.01, "time_mask": 0.1, "num_blocks": 1,
        "elastic": 0.01, "recombined": (0.3, 0.7), "ema_decay": 0.9,
    }  # fmt: skip
    return TrainingPlan(
        params.train.model_copy(update=small),
        small_crops,
        params.language.model_copy(update={"order": 3}),
        params.runtime.model_copy(update={"threads": 1, "num_workers": 0}),
    )


@pytest.fixture(scope="session")
def change(plan):
    """Make the same plan with other values in its section `train`."""

    def changed(**values) -> TrainingPlan:
        return replace(plan, train=plan.train.model_copy(update=values))

    return changed


@pytest.fixture(scope="session")
def files_in(processed):
    """Make the files of a run whose output goes to a folder."""

    def make(folder: Path) -> TrainingFiles:
        return TrainingFiles(processed, folder / "reader", folder / "curves.csv", folder / "scratch")

    return make


@pytest.fixture(scope="session")
def run_in(files_in):
    """Run a training whose output goes to a folder, without W&B."""

    def run(plan: TrainingPlan, folder: Path) -> FinishedRun:
        files, printed = files_in(folder), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(printed):
            patch.setenv("WANDB_MODE", "disabled")
            patch.setenv("WANDB_DIR", str(folder))
            result = train(plan, files)
        return FinishedRun(files, result, printed.getvalue())

    return run


@pytest.fixture(scope="session")
def finished(plan, run_in, tmp_path_factory) -> FinishedRun:
    """The run of `plan`, beside the checkpoint of another run. Copy its files before you change them."""
    folder = tmp_path_factory.mktemp("finished")
    other = folder / "scratch" / "train" / "0123456789abcdef" / "last.ckpt"
    other.parent.mkdir(parents=True)
    other.write_bytes(b"another run's")
    return run_in(plan, folder)


@pytest.fixture(scope="session")
def read_record():
    """Read a W&B record once it holds a word: W&B writes it from a process of its own."""

    def read(path: Path, word: bytes, seconds: float = 60.0) -> bytes:
        end = time.monotonic() + seconds
        while word not in (content := path.read_bytes()) and time.monotonic() < end:
            time.sleep(0.1)
        return content

    return read


@pytest.fixture(autouse=True)
def without_wandb(monkeypatch):
    """No test starts a W&B run unless it says so."""
    monkeypatch.setenv("WANDB_MODE", "disabled")
