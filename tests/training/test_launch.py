"""Trainings that cannot go on end with words and leave the last good checkpoint; several processes train as one."""

import contextlib
import io
import os
import re
import resource
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


def test_a_mistake_in_the_code_is_not_explained_away(tmp_path):
    with pytest.raises(RuntimeError, match="mat1 and mat2"):
        attempt(tmp_path, lambda batch: batch[0][0, 0] @ torch.zeros(5, 5))


# --- several processes

LINES = (
    "--data_class IAMParagraphs --model_class LineCNN --loss ctc --gpus=0 --conv_dim 2 --fc_dim 8 --fc_dropout 0 "
    "--lr 0.01 --max_epochs 2 --augment 0 --limit_test_batches 0 --limit_val_batches 0"
)


def train(pages, logs, *more):
    """The weights and the rounds' losses of a run in a process of its own, as a person starts it."""
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
    environment.pop("TEXT_RECOGNIZER_RUN", None)
    command = [sys.executable, "-m", "text_recognizer.training.run_experiment", *LINES.split(), *more]
    command += ["--processed", str(pages), "--log_dir", str(logs)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    state = torch.load(logs / "version_0" / "last.ckpt", weights_only=False)["state_dict"]
    return state, [float(loss) for loss in re.findall(r"train/loss ([\d.]+)", done.stdout + done.stderr)]


def test_two_processes_train_as_one_on_the_same_batches(printed_split, tmp_path):
    # Given eight pages, so that no page is seen twice where they are divided
    pages = tmp_path / "pages"
    pages.mkdir()
    texts = ["to be", "a sea", "of ink", "the cat", "sat on", "and so", "a pen", "an oar"]
    for split in ("train", "validation", "test"):
        printed_split([(text,) for text in texts]).save(pages, split)
    # When one process trains on batches of four, and two on halves of the same batches
    one, losses = train(pages, tmp_path / "one", "--batch_size", "4")
    two, shared = train(pages, tmp_path / "two", "--batch_size", "2", "--devices", "2", "--strategy", "ddp")
    # Then losses and weights are the same, but for the order in which they were summed
    assert len(losses) == 2
    assert shared == pytest.approx(losses, rel=1e-3)
    assert [name for name in one if not torch.allclose(one[name], two[name], atol=1e-5)] == []
