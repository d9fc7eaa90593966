"""Callbacks of every training: the progress bar, the curve, and the check that the loss is finite."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import pandas as pd
import pytorch_lightning as pl
import torch
from torch import Tensor
from tqdm import tqdm

from text_recognizer.core.errors import TextRecognizerError
from text_recognizer.lit_models import LineReaderLitModel
from text_recognizer.training.training_report import page
from text_recognizer.utils.files import replace_atomically, write_text

GPU_CHECK_INTERVAL = 20  # steps between two checks of the loss on a GPU, which would otherwise wait for each
SHOWN = ("train/loss", "validation/loss", "validation/acc", "validation/cer", "validation/wer")


class Progress(pl.Callback):
    """One bar over the whole budget of steps, and one line per epoch with its metrics."""

    def __init__(self) -> None:
        self._bar: tqdm[NoReturn] | None = None

    def on_train_start(self, trainer: pl.Trainer, _: pl.LightningModule) -> None:
        if not trainer.is_global_zero:
            return
        step, steps = trainer.global_step, trainer.estimated_stepping_batches
        if step:
            tqdm.write(f"train: resumes from step {step}")
        total = int(steps) if steps != float("inf") else None
        self._bar = tqdm(total=total, initial=step, desc="train", unit="step", mininterval=1.0)

    def on_train_batch_end(self, trainer: pl.Trainer, *_: object) -> None:
        if self._bar:
            self._bar.update(trainer.global_step - self._bar.n)

    def on_validation_end(self, trainer: pl.Trainer, lit: pl.LightningModule) -> None:
        if trainer.sanity_checking or not isinstance(lit, LineReaderLitModel):
            return
        row = lit.curve[-1]
        tqdm.write(
            f"train: step {row['step']}/{trainer.max_steps}  train/loss {row['train/loss']:.3f}"
            f"  validation/loss {row['validation/loss']:.3f}  validation/cer {row['validation/cer']:.3f}"
        )

    def teardown(self, *_: object, **__: object) -> None:
        if self._bar:
            self._bar.close()


class Watchdog(pl.Callback):
    """Stop a training whose loss is not finite, before such weights are saved."""

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        _: pl.LightningModule,
        outputs: Tensor | Mapping[str, Any] | None,
        *__: object,
    ) -> None:
        loss = outputs["loss"] if isinstance(outputs, Mapping) else outputs
        last = trainer.fit_loop.epoch_loop.batch_progress.is_last_batch
        if isinstance(loss, Tensor) and (not loss.is_cuda or last or trainer.global_step % GPU_CHECK_INTERVAL == 0):
            self._check(trainer, loss)

    @staticmethod
    def _check(trainer: pl.Trainer, loss: Tensor) -> None:
        if bool(torch.isfinite(loss)):
            return
        callback = trainer.checkpoint_callback
        saved = getattr(callback, "last_model_path", "") or getattr(callback, "best_model_path", "")
        kept = f"the last good checkpoint is {saved}" if saved else "there is no checkpoint yet"
        raise TextRecognizerError(
            f"the loss is {float(loss)} at step {trainer.global_step}; {kept}",
            "lower the learning rate, clip the gradients, or train in full precision",
        )


class Curve(pl.Callback):
    """Write a row per epoch to `curve.csv`, and the same as charts to `report.html`, both complete after every epoch.

    The rows are part of each checkpoint, so a resumed run ends with the same files as an uninterrupted one.
    """

    def __init__(self, folder: Path, title: str, settings: Mapping[str, object]) -> None:
        self.folder, self.title, self.settings = folder, title, settings
        self.rows: list[dict[str, float]] = []

    def on_train_epoch_end(self, trainer: pl.Trainer, _: pl.LightningModule) -> None:
        metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
        row = {"epoch": trainer.current_epoch, "step": trainer.global_step, **dict(sorted(metrics.items()))}
        self.rows.append(row)
        if trainer.is_global_zero:
            self.write()
            shown = "  ".join(f"{name} {row[name]:.4g}" for name in SHOWN if name in row)
            tqdm.write(f"epoch {row['epoch']}, step {row['step']}  {shown}")

    def write(self, test: Mapping[str, float] | None = None) -> None:
        """Write both files; `test` holds the metrics of the test split once they are known."""
        with replace_atomically(self.folder / "curve.csv") as draft:
            pd.DataFrame(self.rows).to_csv(draft, index=False)
        write_text(self.folder / "report.html", page(self.title, self.settings, self.rows, test or {}))

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.rows = state_dict["rows"]
