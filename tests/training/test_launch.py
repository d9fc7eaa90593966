"""Trainings that cannot go on end with words and leave the last good checkpoint."""

import contextlib
import io
import resource
from argparse import Namespace

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
