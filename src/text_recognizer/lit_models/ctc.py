"""CTC training of the line networks (Graves et al. 2006)."""

from argparse import Namespace
from collections.abc import Sequence

from torch import Tensor
from torch.nn import functional as F

from text_recognizer.lit_models.text import ImageToTextLitModel
from text_recognizer.models.network import Network
from text_recognizer.text import collapse


class CTCLitModel(ImageToTextLitModel):
    """Trains a model that gives lines logits `(B, C, S)`, S columns each, on texts `(B, T)`, T at most S."""

    def __init__(self, model: Network, args: Namespace | None = None) -> None:
        super().__init__(model, args)

    def training_step(self, batch: Sequence[Tensor], _: int) -> Tensor:
        x, y = batch
        loss = self._loss(self(x), y)
        self._log_mean("train/loss", loss.detach(), len(x))
        return loss

    def _evaluate(self, split: str, batch: Sequence[Tensor]) -> None:
        x, y = batch
        logits = self(x)
        self._log_mean(f"{split}/loss", self._loss(logits, y), len(x))
        self._score(split, x, self.read(logits), self.texts(y))

    def _loss(self, logits: Tensor, y: Tensor) -> Tensor:
        return ctc_loss(logits.permute(0, 2, 1), *self.targets(y), self.blank_index)

    def read(self, logits: Tensor) -> list[str]:
        """The text of each line, from the likeliest class of each column."""
        return [self.spelt(collapse(path)) for path in logits.argmax(dim=1).tolist()]


def ctc_loss(logits: Tensor, targets: Tensor, lengths: Tensor, blank: int) -> Tensor:
    """Mean over rows of the negative log-likelihood a character, for logits `(B, S, C)`.

    A row with too few columns for its text counts nothing, rather than infinity.
    """
    scores = logits.float().log_softmax(dim=2).transpose(0, 1)  # (S, B, C)
    columns = lengths.new_full((logits.shape[0],), logits.shape[1])
    return F.ctc_loss(scores, targets, columns, lengths, blank=blank, zero_infinity=True)
