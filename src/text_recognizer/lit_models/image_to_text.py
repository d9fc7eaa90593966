"""The base of training modules whose models write text: ids to strings and back."""

from argparse import Namespace
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from text_recognizer.core.charset import BLANK, END, PADDING, SPECIAL, START
from text_recognizer.lit_models.experiment import ExperimentLitModel
from text_recognizer.models.network import Network

STRAY = "\ufffd"  # stands for a special token inside a text: no text holds it, so it costs an edit


class ImageToTextLitModel(ExperimentLitModel):
    """Knows the special tokens. `shown` holds the first validation batch, what was read in it, and what is true."""

    def __init__(self, model: Network, args: Namespace | None = None) -> None:
        super().__init__(model, args)
        ids = {token: index for index, token in enumerate(self.mapping)}
        self.blank_index, self.start_index, self.end_index, self.padding_index = (
            ids[token] for token in (BLANK, START, END, PADDING)
        )
        self.special = frozenset(ids[token] for token in SPECIAL)
        self.shown: tuple[Tensor, list[str], list[str]] | None = None

    def map(self, ks: Iterable[int], ignore: bool = True) -> str:
        """Join the tokens of ids, without the special ones unless `ignore` is False. The name is the lab's."""
        return "".join(self.mapping[k] for k in map(int, ks) if not (ignore and k in self.special))

    def batchmap(self, ks: Iterable[Iterable[int]], ignore: bool = True) -> list[str]:
        """Apply `map` to each row: `(B, T)` to B strings."""
        return [self.map(row, ignore) for row in ks]

    def text_of(self, ids: Sequence[int]) -> str:
        """Return the text of a row of ids: up to its end or padding, without its start.

        A special token inside the text becomes a character that no text holds.
        """
        ids = ids[1:] if len(ids) and ids[0] == self.start_index else ids
        stop = next((n for n, k in enumerate(ids) if k in (self.end_index, self.padding_index)), len(ids))
        return "".join(STRAY if k in self.special else self.mapping[k] for k in ids[:stop])

    def texts(self, ids: Tensor) -> list[str]:
        """Apply `text_of` to each row of `(B, T)`."""
        return [self.text_of(row) for row in ids.tolist()]

    def on_validation_epoch_start(self) -> None:
        super().on_validation_epoch_start()
        self.shown = None

    def record(self, split: str, x: Tensor, read: list[str], true: list[str]) -> None:
        """Add the texts of a batch to the error rates, and keep the first batch of a validation in `shown`."""
        self.record_texts(true, read)
        if split == "validation" and self.shown is None:
            self.shown = x.detach(), read, true

    def targets(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """Return CTC's targets: the ids of `y` (B, T) without special ones, (N,), and how many a row has, (B,)."""
        special = torch.tensor(sorted(self.special), device=y.device)
        kept = ~torch.isin(y, special)
        return y[kept], kept.sum(dim=1)
