"""Trainings that cannot go on end with words and leave the last good checkpoint; several processes train as one."""

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

from text_recognizer.errors import TextRecognizerError
from text_recognizer.lit_models import BaseLitModel
from text_recognizer.models import MLP
from text_recognizer.text import MAPPING
from text_recognizer.training import launch
from text_recognizer.training.run_experiment import experiment

ROOT = Path(__file__).resolve().parents[2]
CONFIG = {"input_dims": (1, 4, 4), "output_dims": (1,), "mapping": MAPPING}
ARGS = Namespace(fc1=4, fc2=4)


class Data(pl.LightningDataModule):
    def train_dataloader(self):
        generator = torch.Generator().manual_seed(1)
        return DataLoader([(torch.rand(2, 1, 4, 4, generator=generator), torch.tensor([4, 5]))] * 3, batch_size=None)

    def val_dataloader(self):
        return self.train_dataloader()


class Failing(BaseLitModel):
    """Does `fail` in its second round."""

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
    trainer = launch.make_trainer([latest], None, accelerator="cpu", max_epochs=3)
    with contextlib.redirect_stderr(io.StringIO()):
        launch.fit(trainer, lit, Data(), folder)
    return trainer


def steps_kept(folder):
    return torch.load(folder / "last.ckpt", weights_only=False)["global_step"]


def test_a_loss_that_is_no_number_ends_the_training(tmp_path):
    with pytest.raises(
        TextRecognizerError, match=r"loss is nan at step 4; the last good checkpoint is .*last\.ckpt"
    ) as it:
        attempt(tmp_path, lambda batch: torch.tensor(float("nan"), requires_grad=True) * batch[0].sum())
    assert "learning rate" in it.value.fix
    assert steps_kept(tmp_path) == 3


def test_memory_that_gives_out_ends_the_training(tmp_path):
    with pytest.raises(TextRecognizerError, match="memory is full at step 3; the last good checkpoint") as it:
        attempt(tmp_path, lambda _: torch.empty(2**50, dtype=torch.uint8).sum())
    assert "batch size" in it.value.fix
    assert steps_kept(tmp_path) == 3


def test_a_disk_that_is_full_ends_the_training_and_leaves_the_last_checkpoint_whole(tmp_path):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(batch):
        # From now on no file may grow beyond half a checkpoint.
        resource.setrlimit(resource.RLIMIT_FSIZE, ((tmp_path / "last.ckpt").stat().st_size // 2, hard))
        return batch[0].sum().requires_grad_()

    try:
        with pytest.raises(TextRecognizerError, match=r"disk is full .* the last good checkpoint is") as it:
            attempt(tmp_path, fill)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert "make room" in it.value.fix
    assert steps_kept(tmp_path) == 3
    assert [path.name for path in tmp_path.iterdir()] == ["last.ckpt"]


def test_whoever_interrupts_a_training_is_told_where_to_go_on_and_may_interrupt_again(tmp_path):
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt) as it:
        attempt(tmp_path, lambda _: signal.raise_signal(signal.SIGINT))
    assert it.value.args == (str(tmp_path),)
    assert steps_kept(tmp_path) == 3
    assert signal.getsignal(signal.SIGINT) is before


def test_a_mistake_in_the_code_is_not_explained_away(tmp_path):
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        attempt(tmp_path, lambda batch: batch[0][0, 0] @ torch.zeros(5, 5))


# --- the rate to learn at


def seen_by_lightning(losses):
    """What its finder reports for them."""
    mean, seen = 0.0, []
    for step, loss in enumerate(losses, start=1):
        mean = 0.98 * mean + 0.02 * loss
        seen.append(mean / (1 - 0.98 ** (step + 1)))
    return seen


def test_the_rate_is_a_tenth_of_where_the_loss_is_lowest():
    rates = [10 ** (-8 + 8 * step / 100) for step in range(100)]
    losses = [9 - 4 * max(0, 1 - abs(step - 70) / 20) for step in range(100)]
    assert launch.rate_of(rates, seen_by_lightning(losses)) == pytest.approx(rates[70] / 10)
    assert launch.rate_of(rates, seen_by_lightning([9.0] * 100)) is None
    assert launch.rate_of(rates[:3], seen_by_lightning([9.0, 8.0, 7.0])) is None


# --- several processes

LINES = (
    "--data_class IAMParagraphs --model_class LineCNN --loss ctc --gpus=0 --conv_dim 2 --fc_dim 8 --fc_dropout 0 "
    "--lr 0.01 --max_epochs 2 --augment 0 --limit_test_batches 0"
)


def in_two_processes(arguments):
    """A run in processes of its own, as a person starts it."""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "text_recognizer.training.run_experiment", *arguments]
    command += ["--devices", "2", "--strategy", "ddp"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr


def left(logs):
    """The weights and the rounds' figures of the only run in `logs`."""
    (folder,) = logs.iterdir()
    with (folder / "curve.csv").open(encoding="utf-8", newline="") as stream:
        rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(stream)]
    return torch.load(folder / "last.ckpt", weights_only=False)["state_dict"], rows


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
    # Then figures and weights are the same but for the order in which float32 were summed (6e-8 a rounding, in sums of
    # some thousands); Adam makes of it a share of its steps, four of 0.01, where a gradient is near zero
    (one, alone), (two, together) = left(tmp_path / "one"), left(tmp_path / "two")
    assert len(alone) == 2
    for row, shared in zip(alone, together, strict=True):
        assert shared == pytest.approx(row, rel=1e-5)
    assert [name for name in one if not torch.allclose(one[name], two[name], rtol=0, atol=1e-5)] == []
