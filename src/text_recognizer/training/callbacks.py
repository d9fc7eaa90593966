"""What training says while it runs."""

import pytorch_lightning as pl
from tqdm import tqdm

from text_recognizer.lit_models import CTCLitModel


class Progress(pl.Callback):
    """One bar over the whole budget of steps, and one plain line a round with its figures."""

    def __init__(self) -> None:
        self._bar: tqdm | None = None

    def on_train_start(self, trainer: pl.Trainer, _: pl.LightningModule) -> None:
        step, steps = trainer.global_step, trainer.max_steps
        if step:
            tqdm.write(f"train: goes on from step {step}")
        self._bar = tqdm(total=steps, initial=step, desc="train", unit="step", mininterval=1.0)

    def on_train_batch_end(self, *_: object) -> None:
        if self._bar:
            self._bar.update()

    def on_validation_end(self, trainer: pl.Trainer, lit: pl.LightningModule) -> None:
        if trainer.sanity_checking or not isinstance(lit, CTCLitModel):
            return
        row = lit.curve[-1]
        tqdm.write(
            f"train: step {row['step']}/{trainer.max_steps}  train/loss {row['train/loss']:.3f}"
            f"  validation/loss {row['validation/loss']:.3f}  validation/cer {row['validation/cer']:.3f}"
        )

    def teardown(self, *_: object, **__: object) -> None:
        if self._bar:
            self._bar.close()
