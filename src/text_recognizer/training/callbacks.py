"""What a training says while it runs, what it keeps of each round, and when it must not go on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytorch_lightning as pl
import torch
from torch import Tensor
from tqdm import tqdm

from text_recognizer.errors import TextRecognizerError
from text_recognizer.files import replacing, write_text
from text_recognizer.lit_models import ParagraphLitModel
from text_recognizer.training.report import page

GPU_CHECKS = 20  # steps between two looks at the loss on a GPU, which would otherwise wait for each


class Progress(pl.Callback):
    """One bar over the whole budget of steps, and one plain line a round with its figures."""

    def __init__(self) -> None:
        self._bar: tqdm | None = None

    def on_train_start(self, trainer: pl.Trainer, _: pl.LightningModule) -> None:
        if not trainer.is_global_zero:
            return
        step, steps = trainer.global_step, trainer.estimated_stepping_batches
        if step:
            tqdm.write(f"train: goes on from step {step}")
        total = int(steps) if steps != float("inf") else None
        self._bar = tqdm(total=total, initial=step, desc="train", unit="step", mininterval=1.0)

    def on_train_batch_end(self, trainer: pl.Trainer, *_: object) -> None:
        if self._bar:
            self._bar.update(trainer.global_step - self._bar.n)

    def on_validation_end(self, trainer: pl.Trainer, lit: pl.LightningModule) -> None:
        if trainer.sanity_checking or not isinstance(lit, ParagraphLitModel):
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
    """Ends a training whose loss is no number any more, before such weights are saved."""

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        _: pl.LightningModule,
        outputs: Tensor | Mapping[str, Any] | None,
        *__: object,
    ) -> None:
        loss = outputs["loss"] if isinstance(outputs, Mapping) else outputs
        last = trainer.fit_loop.epoch_loop.batch_progress.is_last_batch
        if isinstance(loss, Tensor) and (not loss.is_cuda or last or trainer.global_step % GPU_CHECKS == 0):
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
    """A row a round in `curve.csv`, and the same as charts in `report.html`; both whole after every round.

    The rows are part of each checkpoint, so that a resumed run's files are those of an uninterrupted one.
    """

    def __init__(self, folder: Path, title: str, settings: Mapping[str, object]) -> None:
        self.folder, self.title, self.settings = folder, title, settings
        self.rows: list[dict[str, float]] = []

    def on_train_epoch_end(self, trainer: pl.Trainer, _: pl.LightningModule) -> None:
        figures = {name: float(value) for name, value in trainer.callback_metrics.items()}
        row = {"epoch": trainer.current_epoch, "step": trainer.global_step, **dict(sorted(figures.items()))}
        self.rows.append(row)
        if trainer.is_global_zero:
            self.write()
            shown = "  ".join(f"{name} {row[name]:.4g}" for name in SHOWN if name in row)
            tqdm.write(f"epoch {row['epoch']}, step {row['step']}  {shown}")

    def write(self, test: dict[str, float] | None = None) -> None:
        with replacing(self.folder / "curve.csv") as draft:
            pd.DataFrame(self.rows).to_csv(draft, index=False)
        write_text(self.folder / "report.html", page(self.title, self.settings, self.rows, test or {}))

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.rows = state_dict["rows"]


SHOWN = ("train/loss", "validation/loss", "validation/acc", "validation/cer", "validation/wer")
