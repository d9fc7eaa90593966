"""CTC training of a paragraph reader."""

from typing import Any, cast

import pytorch_lightning as pl
import torch
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor
from torch.nn import functional as F

from text_recognizer.bands import INKED, WHOLE, Grid, pooling, ridges
from text_recognizer.config import TrainSection
from text_recognizer.data.augment import augment
from text_recognizer.data.base import as_ink
from text_recognizer.data.samples import Batch
from text_recognizer.lit_models.average import averaged
from text_recognizer.lit_models.schedule import warm_up_and_cosine
from text_recognizer.metrics import Edits, character_edits, error_rate
from text_recognizer.models.paragraph_reader import ParagraphReader, pool
from text_recognizer.text import BLANK_ID, decode, one_line

COARSE = 64  # squares of pixels, see `bands`


class ParagraphLitModel(pl.LightningModule):
    """Trains a ParagraphReader: CTC on its lines (Graves et al. 2006), binary cross-entropy on its row head.

    Keeps, in every checkpoint, a row a round for the curves and the weights of the round with the best validation CER.
    """

    def __init__(self, model: ParagraphReader, section: TrainSection, grid: Grid) -> None:
        super().__init__()
        self.model = model
        self.section = section
        self.grid = grid
        self.average = averaged(model, section.average) if section.average else None
        self.curve: list[dict[str, float]] = []
        self.best: dict[str, Any] = {}
        self._losses: list[Tensor] = []
        self._validation: list[tuple[Tensor, list[Edits]]] = []

    def forward(self, ink: Tensor, boxes: Tensor, counts: list[int]) -> tuple[Tensor, Tensor, Tensor]:
        """Log-probabilities `(L, w, C)` of the lines in `boxes`, the row head's logits and targets `(B, h, w)`.

        In training the model reads; in validation its average, where there is one.
        """
        model = self.model if self.training else self.reader
        located = boxes.cpu()  # before the encoder: a GPU is busy with that while the bands are laid out here
        features, heat = model.encode(ink.contiguous(memory_format=torch.channels_last))
        weights, heat_target = self._bands(located, counts, self.grid.size(*ink.shape[2:]))
        scores = model.read_lines(pool(features, weights.to(ink.device), counts))
        return scores, heat, heat_target.to(ink.device)

    def on_train_epoch_start(self) -> None:
        # Dropout and augmentation draw from here: a function of the round, so that a resumed run draws the same.
        torch.manual_seed(self.section.seed * 1_000_003 + self.current_epoch)
        self._losses = []

    def losses(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """What reading the lines and finding them costs on an augmented batch."""
        bend = self.section.elastic * self.grid.dpi
        pages = trimmed(as_ink(batch.canvases), self.grid)
        ink, boxes = augment(pages, batch.boxes, batch.counts, self.section.augment, bend, self.grid.side)
        scores, heat, heat_target = self(ink, boxes, batch.counts)
        return ctc_loss(scores, batch), F.binary_cross_entropy_with_logits(heat.float(), heat_target)

    def training_step(self, batch: Batch, _: int) -> Tensor:
        reading, finding = self.losses(batch)
        self._losses.append(reading.detach())
        self.log("train/loss", reading.detach(), prog_bar=True, batch_size=len(batch.counts))
        self.log("train/row_loss", finding.detach(), batch_size=len(batch.counts))
        return reading + finding

    def on_train_batch_end(self, *_: object) -> None:
        if self.average:
            self.average.update_parameters(self.model)

    @property
    def reader(self) -> ParagraphReader:
        """The weights that are validated and kept: the average where there is one."""
        return cast("ParagraphReader", self.average.module) if self.average else self.model

    def on_validation_epoch_start(self) -> None:
        self._validation = []

    def validation_step(self, batch: Batch, _: int) -> None:
        """The loss is on the labelled lines, the CER on the lines that the model finds itself."""
        ink = as_ink(batch.canvases)
        scores, _heat, _target = self(ink, batch.boxes, batch.counts)
        read = self.read(ink)
        lines = iter(batch.texts)
        true = [" ".join(next(lines) for _ in range(count)) for count in batch.counts]
        edits = [character_edits(one_line(t), one_line(r)) for t, r in zip(true, read, strict=True)]
        self._validation.append((ctc_loss(scores, batch) * len(true), edits))

    def read(self, ink: Tensor) -> list[str]:
        """The text of each page, (B, 1, H, W), with the lines that the row head finds."""
        return [decode(tokens) for tokens in self.reader(ink).tolist()]

    def on_validation_epoch_end(self) -> None:
        edits = [edit for _, batch in self._validation for edit in batch]
        cer = error_rate(edits)
        loss = float(sum(loss for loss, _ in self._validation)) / len(edits)
        self.log("validation/loss", loss)
        self.log("validation/cer", cer, prog_bar=True)
        if self.trainer.sanity_checking:
            return
        train = float(torch.stack(self._losses).mean())
        row = {"step": self.global_step, "train/loss": train, "validation/loss": loss, "validation/cer": cer}
        self.curve.append(row)
        if not self.best or cer < self.best["cer"]:
            weights = {name: tensor.detach().cpu().clone() for name, tensor in self.reader.state_dict().items()}
            self.best = {"cer": cer, "step": self.global_step, "weights": weights}

    def configure_optimizers(self) -> OptimizerLRScheduler:
        section = self.section
        optimizer = torch.optim.AdamW(self.model.parameters(), section.learning_rate, weight_decay=section.weight_decay)
        steps = int(self.trainer.estimated_stepping_batches)
        schedule = warm_up_and_cosine(optimizer, steps, section.warmup)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["curve"], checkpoint["best"] = self.curve, self.best

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.curve, self.best = checkpoint["curve"], checkpoint["best"]

    def _bands(self, boxes: Tensor, counts: list[int], size: tuple[int, int]) -> tuple[Tensor, Tensor]:
        """Pooling weights of the lines `(L, h)` and what the row head should draw on each page `(B, h, w)`."""
        x, y, width, height = boxes.numpy().T
        centres, across = (y + height / 2) / self.grid.cell_height, self.grid.cell_width
        target = ridges(centres, x / across, (x + width) / across, counts, size, self.grid)
        return torch.from_numpy(pooling(centres, size[0], self.grid)), torch.from_numpy(target)


def ctc_loss(scores: Tensor, batch: Batch) -> Tensor:
    """Mean over lines of the negative log-likelihood per character; a line with too few columns counts nothing."""
    columns = torch.full_like(batch.lengths, scores.shape[1])
    return F.ctc_loss(scores.transpose(0, 1), batch.targets, columns, batch.lengths, blank=BLANK_ID, zero_infinity=True)


def trimmed(ink: Tensor, grid: Grid) -> Tensor:
    """The part of the canvases (B, 1, H, W) that any of the pages uses; see `Grid.reach`.

    On a GPU coarsely: its libraries take their time over every size that they have not met.
    """
    used = (ink > INKED).any(dim=0)[0]
    rows, columns = used.any(dim=1).nonzero(), used.any(dim=0).nonzero()
    ends = (int(inked[-1]) + 1 if len(inked) else 0 for inked in (rows, columns))
    height, width = (grid.reach(end, COARSE if ink.is_cuda else WHOLE) for end in ends)
    return ink[:, :, :height, :width]
