"""CTC training of the line networks (Graves et al. 2006)."""

from collections.abc import Sequence

from torch import Tensor

from text_recognizer.core.charset import collapse
from text_recognizer.lit_models.image_to_text import ImageToTextLitModel
from text_recognizer.lit_models.losses import ctc_loss


class CTCLitModel(ImageToTextLitModel):
    """Trains logits `(B, C, S)` of lines, S columns each, on texts `(B, T)`, T at most S."""

    def training_step(self, batch: Sequence[Tensor], _: int) -> Tensor:
        x, y = batch
        loss = self._loss(self(x), y)
        self.log_mean("train/loss", loss.detach(), len(x))
        return loss

    def evaluate(self, split: str, batch: Sequence[Tensor]) -> None:
        x, y = batch
        logits = self(x)
        self.log_mean(f"{split}/loss", self._loss(logits, y), len(x))
        self.record(split, x, self.read(logits), self.texts(y))

    def _loss(self, logits: Tensor, y: Tensor) -> Tensor:
        scores = logits.permute(0, 2, 1).float().log_softmax(dim=2)  # (B, S, C)
        targets, lengths = self.targets(y)
        return ctc_loss(scores, targets, lengths, self.blank_index)

    def read(self, logits: Tensor) -> list[str]:
        """Return the text of each line, from the likeliest class of each column."""
        return [self.text_of(collapse(path)) for path in logits.argmax(dim=1).tolist()]
