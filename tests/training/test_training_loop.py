"""Trainings that cannot continue end with an error and leave the last checkpoint; several processes train as one."""

import contextlib
import csv
import io
import os
import resource
import signal
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ModelCheckpoint
from torch.utils.data import DataLoader

from text_recognizer.core.charset import CHARSET
from text_recognizer.core.errors import TextRecognizerError
from text_recognizer.lit_models import ClassifierLitModel
from text_recognizer.models import MLP
from text_recognizer.training import training_loop
from text_recognizer.training.run_experiment import experiment

ROOT = Path(__file__).resolve().parents[2]
CONFIG = {"input_dims": (1, 4, 4), "output_dims": (1,), "mapping": CHARSET}
ARGS = Namespace(fc1=4, fc2=4)


class Data(pl.LightningDataModule):
    def train_dataloader(self):
        generator = torch.Generator().manual_seed(1)
        return DataLoader([(torch.rand(2, 1, 4, 4, generator=generator), torch.tensor([4, 5]))] * 3, batch_size=None)

    def val_dataloader(self):
        return self.train_dataloader()


class Failing(ClassifierLitModel):
    """Calls `fail` in its second epoch."""

    fail = None

    def training_step(self, batch, number):
        if self.current_epoch == 1:
            return self.fail(batch)
        return super().training_step(batch, number)


def attempt(folder, fail):
    torch.manual_seed(0)
    lit = Failing(MLP(CONFIG, ARGS), ARGS)
    lit.fail = fail
    latest = ModelCheckpoint(folder, "last", save_on_train_epoch_end=True, enable_version_counter=False)
    trainer = training_loop.make_trainer([latest], None, accelerator="cpu", max_epochs=3)
    with contextlib.redirect_stderr(io.StringIO()):
        training_loop.fit(trainer, lit, Data(), folder)
    return trainer


def steps_kept(folder):
    return torch.load(folder / "last.ckpt", weights_only=False)["global_step"]


def assert_stopped(error, folder, steps):
    """The error names the checkpoint of the first epoch, which is complete, and the step at which training ended."""
    assert str(folder / "last.ckpt") in error.what
    assert f"at step {steps}" in error.what
    assert steps_kept(folder) == 3


def test_a_loss_that_is_not_finite_ends_the_training(tmp_path):
    with pytest.raises(TextRecognizerError) as stopped:
        attempt(tmp_path, lambda batch: torch.tensor(float("nan"), requires_grad=True) * batch[0].sum())
    assert_stopped(stopped.value, tmp_path, steps=4)
    assert "nan" in stopped.value.what
    assert "learning rate" in stopped.value.fix


def test_full_memory_ends_the_training(tmp_path):
    with pytest.raises(TextRecognizerError) as stopped:
        attempt(tmp_path, lambda _: torch.empty(2**50, dtype=torch.uint8).sum())
    assert_stopped(stopped.value, tmp_path, steps=3)
    assert "batch size" in stopped.value.fix


def test_a_full_disk_ends_the_training_and_leaves_the_last_checkpoint_complete(tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(batch):
        # From now on no file may grow beyond half a checkpoint.
        resource.setrlimit(resource.RLIMIT_FSIZE, ((tmp_path / "last.ckpt").stat().st_size // 2, hard))
        return batch[0].sum().requires_grad_()

    try:
        with pytest.raises(TextRecognizerError) as stopped:
            attempt(tmp_path, fill)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert_stopped(stopped.value, tmp_path, steps=6)
    assert "disk" in stopped.value.what
    assert [path.name for path in tmp_path.iterdir()] == ["last.ckpt"]


def test_an_interrupted_training_names_the_folder_to_resume_and_can_be_interrupted_again(tmp_path):
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt) as stopped:
        attempt(tmp_path, lambda _: signal.raise_signal(signal.SIGINT))
    assert stopped.value.args == (str(tmp_path),)
    assert steps_kept(tmp_path) == 3
    assert signal.getsignal(signal.SIGINT) is before


def test_an_error_in_the_code_is_raised_unchanged(tmp_path):
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        attempt(tmp_path, lambda batch: batch[0][0, 0] @ torch.zeros(5, 5))


# --- the choice of a learning rate


def reported_by_lightning(losses):
    """What the finder of Lightning reports for them."""
    mean, reported = 0.0, []
    for step, loss in enumerate(losses, start=1):
        mean = 0.98 * mean + 0.02 * loss
        reported.append(mean / (1 - 0.98 ** (step + 1)))
    return reported


def test_the_rate_is_a_tenth_of_the_rate_at_which_the_loss_is_lowest():
    rates = [10 ** (-8 + 8 * step / 100) for step in range(100)]
    losses = [9 - 4 * max(0, 1 - abs(step - 70) / 20) for step in range(100)]
    assert training_loop.choose_rate(rates, reported_by_lightning(losses)) == pytest.approx(rates[70] / 10)
    assert training_loop.choose_rate(rates, reported_by_lightning([9.0] * 100)) is None
    assert training_loop.choose_rate(rates[:3], reported_by_lightning([9.0, 8.0, 7.0])) is None


# --- several processes

LINES = (
    "--data_class IAMParagraphs --model_class LineCNN --loss ctc --gpus=0 --conv_dim 2 --fc_dim 8 --fc_dropout 0 "
    "--lr 0.01 --max_epochs 2 --augment 0 --limit_test_batches 0"
)


def in_two_processes(arguments):
    """Run the command in processes of its own, as a person does."""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "text_recognizer.training.run_experiment", *arguments]
    command += ["--devices", "2", "--strategy", "ddp"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr


def result_in(logs):
    """The weights and the metrics per epoch of the only run in `logs`."""
    (folder,) = logs.iterdir()
    with (folder / "curve.csv").open(encoding="utf-8", newline="") as stream:
        rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(stream)]
    return torch.load(folder / "last.ckpt", weights_only=False)["state_dict"], rows


@pytest.mark.slow
def test_two_processes_train_as_one_on_the_same_batches(printed_split, tmp_path):
    # Given pages that two processes can divide, and five to validate, which they cannot
    pages = tmp_path / "pages"
    pages.mkdir()
    texts = ["to be", "a sea", "of ink", "the cat", "sat on", "and so", "a pen", "an oar"]
    for split, count in (("train", 8), ("validation", 5), ("test", 2)):
        printed_split([(text,) for text in texts[:count]]).save(pages, split)
    # When one process trains on batches of four, and two on halves of the same batches
    line = [*LINES.split(), "--processed", str(pages)]
    experiment([*line, "--log_dir", str(tmp_path / "one"), "--batch_size", "4"])
    in_two_processes([*line, "--log_dir", str(tmp_path / "two"), "--batch_size", "2"])
    # Then metrics and weights are equal up to the order in which float32 numbers are summed (6e-8 per rounding, in sums
    # of some thousands). Where a gradient is near zero, Adam turns that into a share of its steps, four of 0.01.
    (one, alone), (two, together) = result_in(tmp_path / "one"), result_in(tmp_path / "two")
    assert len(alone) == 2
    for row, shared in zip(alone, together, strict=True):
        assert shared == pytest.approx(row, rel=1e-5)
    assert [name for name in one if not torch.allclose(one[name], two[name], rtol=0, atol=1e-5)] == []
