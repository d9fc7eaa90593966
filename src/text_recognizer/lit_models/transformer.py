"""Training of a model that encodes a page and spells its text."""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor
from torch.nn import functional as F

from text_recognizer.lit_models.base import BaseLitModel
from text_recognizer.lit_models.ctc import ctc_loss
from text_recognizer.lit_models.text import ImageToTextLitModel
from text_recognizer.models.network import Group
from text_recognizer.models.resnet_transformer import ResnetTransformer
from text_recognizer.text import collapse

CTC_WEIGHT = 0.5


class TransformerLitModel(ImageToTextLitModel):
    """Cross-entropy of each next character, given the true ones before it, and CTC on the encoder where it has a head.

    A decoder trained alone learns a language model long before it looks at the page; CTC makes the encoder read.
    """

    @property
    def reader(self) -> ResnetTransformer:
        return cast(ResnetTransformer, self.reading)

    @property
    def ctc_weight(self) -> float:
        """The share of CTC in the loss: 0 where the model has no head for it."""
        weight: float = self.args.get("ctc_weight", CTC_WEIGHT)
        return weight if getattr(self.model, "ctc_columns", 0) else 0.0

    @staticmethod
    def add_to_argparse(parser: Group) -> Group:
        BaseLitModel.add_to_argparse(parser)
        add = parser.add_argument
        add(
            "--ctc_weight",
            type=float,
            default=CTC_WEIGHT,
            help="share of CTC in the loss, 0 to 1; default: %(default)s",
        )
        add("--forcing_noise", type=float, default=0.0, help="share of the true characters that training falsifies")
        return parser

    def teacher_forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Logits of the token after each of `y` (B, T), on pages `x`: `(B, C, T)`."""
        model = self.reader
        return model.decode(model.encode(x), y).permute(1, 2, 0)

    def get_preds(self, logitlikes: Tensor, replace_after_end: bool = True) -> Tensor:
        """The likeliest tokens `(B, T)` of logits `(B, C, T)`; after the first end, padding."""
        raw = logitlikes.argmax(dim=1)
        if not replace_after_end:
            return raw
        ended = (raw == self.end_index).cumsum(dim=1) - (raw == self.end_index).long() > 0
        return raw.masked_fill(ended, self.padding_index)

    def training_step(self, batch: Sequence[Tensor], _: int) -> Tensor:
        x, y = batch
        y = self._trimmed(y)
        spelling, reading = self._losses(x, self._falsified(y[:, :-1]), y, self.args.get("label_smoothing", 0.0))
        loss = (1 - self.ctc_weight) * spelling + self.ctc_weight * reading
        for name, value in (("loss", loss), ("spelling_loss", spelling), ("ctc_loss", reading)):
            self._log_mean(f"train/{name}", value.detach(), len(x))
        return loss

    def _evaluate(self, split: str, batch: Sequence[Tensor]) -> None:
        """The loss is that of training, without noise; the text is what the model spells by itself."""
        x, y = batch
        y = self._trimmed(y)
        spelling, reading = self._losses(x, y[:, :-1], y)
        self._log_mean(f"{split}/loss", (1 - self.ctc_weight) * spelling + self.ctc_weight * reading, len(x))
        true = self.texts(y)
        self._score(split, x, self.texts(self(x)), true)

    def _losses(self, x: Tensor, forced: Tensor, y: Tensor, smoothing: float = 0.0) -> tuple[Tensor, Tensor]:
        """Of spelling `y` with `forced` before each token, and of reading it off the encoder (0 without a head)."""
        model = self.reader
        memory = model.encode(x)
        logits = model.decode(memory, forced).permute(1, 2, 0)  # (B, C, T)
        spelling = F.cross_entropy(logits.float(), y[:, 1:], ignore_index=self.padding_index, label_smoothing=smoothing)
        if not self.ctc_weight:
            return spelling, spelling.new_zeros(())
        return spelling, ctc_loss(model.ctc(memory), *self.targets(y), self.blank_index)

    def read_off(self, x: Tensor) -> list[str]:
        """What the encoder's CTC head alone reads: a sign of whether the encoder has learnt to."""
        paths = self.reader.ctc(self.reader.encode(x)).argmax(dim=2).tolist()
        return [self.spelt(collapse(path)) for path in paths]

    def _trimmed(self, y: Tensor) -> Tensor:
        """Without the columns that are padding in every row: they cost time and count nothing."""
        used = (y != self.padding_index).any(dim=0).nonzero()
        return y[:, : int(used[-1]) + 1] if len(used) else y

    def _falsified(self, y: Tensor) -> Tensor:
        """A share of the characters replaced by any others, so that one mistake does not throw the decoder off."""
        share = self.args.get("forcing_noise", 0.0)
        if not share:
            return y
        characters = torch.tensor([k for k in range(len(self.mapping)) if k not in self.special], device=y.device)
        others = characters[torch.randint(len(characters), y.shape, device=y.device)]
        chosen = torch.rand(y.shape, device=y.device) < share
        return torch.where(chosen & torch.isin(y, characters), others, y)
