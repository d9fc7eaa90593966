"""CTC training of a reader of lines."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from text_recognizer.core.charset import collapse, decode
from text_recognizer.core.errors import DataError
from text_recognizer.core.params import TrainSection
from text_recognizer.data.augmentation import augment_strips
from text_recognizer.data.base_data_module import to_foreground
from text_recognizer.data.batches import LineBatch
from text_recognizer.lit_models.base import BaseLitModel, OptimizerConfig
from text_recognizer.lit_models.losses import ctc_loss
from text_recognizer.models.line_reader import LineReader


class LineReaderLitModel(BaseLitModel[LineReader]):
    """Trains a LineReader with CTC (Graves et al. 2006).

    Every checkpoint holds the curve, a row per epoch, and the weights of the epoch with the lowest validation CER.
    """

    def __init__(self, model: LineReader, section: TrainSection) -> None:
        config = OptimizerConfig(
            optimizer="AdamW",
            learning_rate=section.learning_rate,
            weight_decay=section.weight_decay,
            schedule="cosine",
            warmup=section.warmup,
            ema_decay=section.ema_decay,
        )
        super().__init__(model, config)
        self.section = section
        self.curve: list[dict[str, float]] = []
        self.best: dict[str, Any] = {}
        self._train_losses: list[Tensor] = []
        self._validation_loss: Tensor | float = 0.0
        self._validation_pages = 0

    def forward(self, strips: Tensor) -> Tensor:
        """Return the log-probabilities `(L, w, C)` of strips, uint8 `(L, 1, H, W)`, dark ink on paper of 255."""
        return self.active_model(to_foreground(strips))

    def loss(self, batch: LineBatch) -> Tensor:
        """Augment a batch and return its CTC loss."""
        grid = self.model.grid
        bend = self.section.elastic * grid.dpi
        inks = (to_foreground(group.strips) for group in batch.groups)
        scores = [self.active_model(augment_strips(ink, self.section.augment, bend, grid.side)) for ink in inks]
        return _mean_loss(batch, scores)

    def on_train_epoch_start(self) -> None:
        # Dropout and augmentation draw from this seed. It is a function of the epoch, so a resumed run draws the same.
        torch.manual_seed(self.section.seed * 1_000_003 + self.current_epoch)
        self._train_losses = []

    def training_step(self, batch: LineBatch, _: int) -> Tensor:
        loss = self.loss(batch)
        self._train_losses.append(loss.detach())
        self.log("train/loss", loss.detach(), batch_size=len(batch.counts))
        return loss

    def on_validation_epoch_start(self) -> None:
        super().on_validation_epoch_start()
        self._validation_loss, self._validation_pages = 0.0, 0

    def validation_step(self, batch: LineBatch, _: int) -> None:
        scores = [self(group.strips) for group in batch.groups]
        true = batch.pages([group.texts for group in batch.groups])
        self.record_texts(true, batch.pages([self.texts(group) for group in scores]))
        self._validation_loss = self._validation_loss + _mean_loss(batch, scores) * len(true)
        self._validation_pages += len(true)

    def texts(self, scores: Tensor) -> list[str]:
        """Return the text of each line of log-probabilities `(L, w, C)`, by CTC's best path."""
        return [decode(collapse(path)) for path in scores.argmax(dim=2).tolist()]

    def on_validation_epoch_end(self) -> None:
        """Log loss and error rates, add a row to the curve, and keep the weights if they are the best so far."""
        rates = self.log_error_rates("validation")
        if "cer" not in rates:
            raise DataError("the validation split has no text", "pack pages that have text")
        loss = float(self._validation_loss) / self._validation_pages
        self.log("validation/loss", loss)
        if self.trainer.sanity_checking:
            return
        train = float(torch.stack(self._train_losses).mean())
        row = {"step": self.global_step, "train/loss": train, "validation/loss": loss, "validation/cer": rates["cer"]}
        self.curve.append(row)
        if not self.best or rates["cer"] < self.best["cer"]:
            weights = {name: tensor.detach().cpu().clone() for name, tensor in self.kept_model.state_dict().items()}
            self.best = {"cer": rates["cer"], "step": self.global_step, "weights": weights}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["curve"], checkpoint["best"] = self.curve, self.best

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.curve, self.best = checkpoint["curve"], checkpoint["best"]


def _mean_loss(batch: LineBatch, scores: Sequence[Tensor]) -> Tensor:
    """Return the CTC loss of a batch, the mean over its lines, from the log-probabilities of its groups."""
    losses = [
        ctc_loss(group, true.targets, true.lengths) * len(true.rows)
        for true, group in zip(batch.groups, scores, strict=True)
    ]
    return torch.stack(losses).sum() / sum(batch.counts)
