"""CTC training of a paragraph reader."""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from text_recognizer.core.charset import NEWLINE, decode
from text_recognizer.core.errors import DataError
from text_recognizer.core.params import TrainSection
from text_recognizer.data.augmentation import augment
from text_recognizer.data.base_data_module import to_foreground
from text_recognizer.data.batches import Batch
from text_recognizer.lit_models.base import BaseLitModel, OptimizerConfig
from text_recognizer.lit_models.losses import ctc_loss
from text_recognizer.models.paragraph_reader import ParagraphReader, pool
from text_recognizer.pages.line_heatmap import CROP_STEP, MIN_FOREGROUND, FeatureGrid, line_heatmaps, pooling_weights

COARSE = 64  # squares of pixels; see `trimmed`


class ParagraphLitModel(BaseLitModel[ParagraphReader]):
    """Trains a ParagraphReader: CTC on its lines (Graves et al. 2006), binary cross-entropy on its line heatmap.

    Every checkpoint holds the curve, a row per epoch, and the weights of the epoch with the lowest validation CER.
    """

    def __init__(self, model: ParagraphReader, section: TrainSection) -> None:
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
        self.grid = model.grid
        self.curve: list[dict[str, float]] = []
        self.best: dict[str, Any] = {}
        self._train_losses: list[Tensor] = []
        self._validation_loss: Tensor | float = 0.0
        self._validation_pages = 0

    def forward(self, ink: Tensor, boxes: Tensor, counts: list[int]) -> tuple[Tensor, Tensor, Tensor]:
        """Read the lines in `boxes` (L, 4) of pages `ink` (B, 1, H, W), `counts[b]` of them on page `b`.

        Return the log-probabilities `(L, w, C)`, and the logits and the targets of the line heatmaps `(B, h, w)`.
        """
        located = boxes.cpu()  # before the encoder: the GPU works on that while the lines are laid out here
        features, heatmap = self.active_model.encode(ink.contiguous(memory_format=torch.channels_last))
        weights, target = self._line_targets(located, counts, self.grid.size(*ink.shape[2:]))
        scores = self.active_model.read_lines(pool(features, weights.to(ink.device), counts))
        return scores, heatmap, target.to(ink.device)

    def losses(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Augment a batch and return its two losses: CTC on the lines, and that of the line heatmaps."""
        bend = self.section.elastic * self.grid.dpi
        pages = trimmed(to_foreground(batch.canvases), self.grid)
        ink, boxes = augment(pages, batch.boxes, batch.counts, self.section.augment, bend, self.grid.side)
        scores, heatmap, target = self(ink, boxes, batch.counts)
        line_loss = ctc_loss(scores, batch.targets, batch.lengths)
        return line_loss, F.binary_cross_entropy_with_logits(heatmap.float(), target)

    def on_train_epoch_start(self) -> None:
        # Dropout and augmentation draw from this seed. It is a function of the epoch, so a resumed run draws the same.
        torch.manual_seed(self.section.seed * 1_000_003 + self.current_epoch)
        self._train_losses = []

    def training_step(self, batch: Batch, _: int) -> Tensor:
        line_loss, heatmap_loss = self.losses(batch)
        self._train_losses.append(line_loss.detach())
        self.log("train/loss", line_loss.detach(), batch_size=len(batch.counts))
        self.log("train/line_heatmap_loss", heatmap_loss.detach(), batch_size=len(batch.counts))
        return line_loss + heatmap_loss

    def on_validation_epoch_start(self) -> None:
        super().on_validation_epoch_start()
        self._validation_loss, self._validation_pages = 0.0, 0

    def validation_step(self, batch: Batch, _: int) -> None:
        """Compute the loss on the labelled lines, and the text from the lines that the model finds itself."""
        ink = to_foreground(batch.canvases)
        scores, _heatmap, _target = self(ink, batch.boxes, batch.counts)
        lines = iter(batch.texts)
        true = [NEWLINE.join(next(lines) for _ in range(count)) for count in batch.counts]
        self.record_texts(true, self.read(ink))
        self._validation_loss = self._validation_loss + ctc_loss(scores, batch.targets, batch.lengths) * len(true)
        self._validation_pages += len(true)

    def read(self, ink: Tensor) -> list[str]:
        """Return the text of each page (B, 1, H, W), with the lines that the model finds."""
        return [decode(tokens) for tokens in self.kept_model(ink).tolist()]

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

    def _line_targets(self, boxes: Tensor, counts: list[int], size: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """Return the pooling weights of the lines `(L, h)` and the line heatmap of each page `(B, h, w)`."""
        x, y, width, height = boxes.numpy().T
        centres, across = (y + height / 2) / self.grid.cell_height, self.grid.cell_width
        target = line_heatmaps(centres, x / across, (x + width) / across, counts, size, self.grid)
        return torch.from_numpy(pooling_weights(centres, size[0], self.grid)), torch.from_numpy(target)


def trimmed(ink: Tensor, grid: FeatureGrid) -> Tensor:
    """Crop pages (B, 1, H, W) to the part that any of them uses; see `FeatureGrid.crop_length`.

    On a GPU the sizes are coarser, because its libraries spend time on every size that they have not met.
    """
    used = (ink > MIN_FOREGROUND).any(dim=0)[0]
    rows, columns = used.any(dim=1).nonzero(), used.any(dim=0).nonzero()
    ends = (int(inked[-1]) + 1 if len(inked) else 0 for inked in (rows, columns))
    height, width = (grid.crop_length(end, COARSE if ink.is_cuda else CROP_STEP) for end in ends)
    return ink[:, :, :height, :width]
