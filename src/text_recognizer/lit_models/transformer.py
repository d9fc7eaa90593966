"""Training of a model that encodes a page and decodes its text token by token."""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor
from torch.nn import functional as F

from text_recognizer.lit_models.experiment import ExperimentLitModel
from text_recognizer.lit_models.image_to_text import ImageToTextLitModel
from text_recognizer.lit_models.losses import ctc_loss
from text_recognizer.models.network import Group
from text_recognizer.models.resnet_transformer import ResnetTransformer

CTC_WEIGHT = 0.5


class TransformerLitModel(ImageToTextLitModel):
    """Trains the decoder by cross-entropy of each next token, and the encoder by CTC if the model has a CTC head.

    A decoder that is trained alone learns a language model long before it uses the page. CTC makes the encoder
    learn to read.
    """

    @property
    def transformer(self) -> ResnetTransformer:
        """The weights of the current step."""
        return cast(ResnetTransformer, self.active_model)

    @property
    def ctc_weight(self) -> float:
        """The share of CTC in the loss; 0 if the model has no CTC head."""
        weight: float = self.args.get("ctc_weight", CTC_WEIGHT)
        return weight if getattr(self.model, "ctc_columns", 0) else 0.0

    @staticmethod
    def add_to_argparse(parser: Group) -> Group:
        ExperimentLitModel.add_to_argparse(parser)
        add = parser.add_argument
        add(
            "--ctc_weight",
            type=float,
            default=CTC_WEIGHT,
            help="share of CTC in the loss, 0 to 1; default: %(default)s",
        )
        add("--forcing_noise", type=float, default=0.0, help="share of the true characters replaced in training")
        return parser

    def teacher_forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the logits of the token after each of `y` (B, T), on pages `x`: `(B, C, T)`."""
        model = self.transformer
        return model.decode(model.encode(x), y).permute(1, 2, 0)

    def get_preds(self, logitlikes: Tensor, replace_after_end: bool = True) -> Tensor:
        """Return the likeliest tokens `(B, T)` of logits `(B, C, T)`; after the first end, padding."""
        raw = logitlikes.argmax(dim=1)
        if not replace_after_end:
            return raw
        ended = (raw == self.end_index).cumsum(dim=1) - (raw == self.end_index).long() > 0
        return raw.masked_fill(ended, self.padding_index)

    def training_step(self, batch: Sequence[Tensor], _: int) -> Tensor:
        x, y = batch
        y = self._trimmed(y)
        decoder, ctc = self._losses(x, self._with_noise(y[:, :-1]), y, self.args.get("label_smoothing", 0.0))
        loss = (1 - self.ctc_weight) * decoder + self.ctc_weight * ctc
        for name, value in (("loss", loss), ("decoder_loss", decoder), ("ctc_loss", ctc)):
            self.log_mean(f"train/{name}", value.detach(), len(x))
        return loss

    def evaluate(self, split: str, batch: Sequence[Tensor]) -> None:
        """Log the loss without noise, and record the text that the model decodes from its own tokens."""
        x, y = batch
        y = self._trimmed(y)
        decoder, ctc = self._losses(x, y[:, :-1], y)
        self.log_mean(f"{split}/loss", (1 - self.ctc_weight) * decoder + self.ctc_weight * ctc, len(x))
        true = self.texts(y)
        self.record(split, x, self.texts(self(x)), true)

    def _losses(self, x: Tensor, forced: Tensor, y: Tensor, smoothing: float = 0.0) -> tuple[Tensor, Tensor]:
        """Return the loss of the decoder, given `forced` before each token, and CTC's (0 without a CTC head)."""
        model = self.transformer
        memory = model.encode(x)
        logits = model.decode(memory, forced).permute(1, 2, 0)  # (B, C, T)
        decoder = F.cross_entropy(logits.float(), y[:, 1:], ignore_index=self.padding_index, label_smoothing=smoothing)
        if not self.ctc_weight:
            return decoder, decoder.new_zeros(())
        targets, lengths = self.targets(y)
        return decoder, ctc_loss(model.ctc(memory).float().log_softmax(dim=2), targets, lengths, self.blank_index)

    def _trimmed(self, y: Tensor) -> Tensor:
        """Drop the columns that are padding in every row: they cost time and do not change the loss."""
        used = (y != self.padding_index).any(dim=0).nonzero()
        return y[:, : int(used[-1]) + 1] if len(used) else y

    def _with_noise(self, y: Tensor) -> Tensor:
        """Replace a share of the characters by random ones, so that the decoder learns to recover from a mistake."""
        share = self.args.get("forcing_noise", 0.0)
        if not share:
            return y
        characters = torch.tensor([k for k in range(len(self.mapping)) if k not in self.special], device=y.device)
        others = characters[torch.randint(len(characters), y.shape, device=y.device)]
        chosen = torch.rand(y.shape, device=y.device) < share
        return torch.where(chosen & torch.isin(y, characters), others, y)
