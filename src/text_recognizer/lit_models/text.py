"""Training modules whose models write text: ids to strings and back, and which of them count as mistakes."""

from argparse import Namespace
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from text_recognizer.lit_models.base import BaseLitModel
from text_recognizer.models.network import Network
from text_recognizer.text import BLANK, END, PADDING, SPECIAL, START

STRAY = "\ufffd"  # a special token in the middle of a text: a wrong character, which costs an edit


class ImageToTextLitModel(BaseLitModel):
    """Knows the special tokens of the mapping. `shown` holds the first validation batch with what was read in it."""

    def __init__(self, model: Network, args: Namespace | None = None) -> None:
        super().__init__(model, args)
        ids = {token: index for index, token in enumerate(self.mapping)}
        self.blank_index, self.start_index, self.end_index, self.padding_index = (
            ids[token] for token in (BLANK, START, END, PADDING)
        )
        self.special = frozenset(ids[token] for token in SPECIAL)
        self.shown: tuple[Tensor, list[str], list[str]] | None = None

    def map(self, ks: Iterable[int], ignore: bool = True) -> str:
        """The tokens of ids, joined; without the special ones unless `ignore` is False."""
        return "".join(self.mapping[k] for k in map(int, ks) if not (ignore and k in self.special))

    def batchmap(self, ks: Iterable[Iterable[int]], ignore: bool = True) -> list[str]:
        """`map` of each row: `(B, T)` to B strings."""
        return [self.map(row, ignore) for row in ks]

    def spelt(self, ids: Sequence[int]) -> str:
        """The text that a row of ids stands for: up to its end or padding, without its start.

        A special token in the middle of it stays, as a character that no text holds.
        """
        ids = ids[1:] if len(ids) and ids[0] == self.start_index else ids
        stop = next((n for n, k in enumerate(ids) if k in (self.end_index, self.padding_index)), len(ids))
        return "".join(STRAY if k in self.special else self.mapping[k] for k in ids[:stop])

    def texts(self, ids: Tensor) -> list[str]:
        """`spelt` of each row of `(B, T)`."""
        return [self.spelt(row) for row in ids.tolist()]

    def on_validation_epoch_start(self) -> None:
        self.shown = None

    def _score(self, split: str, x: Tensor, read: list[str], true: list[str]) -> None:
        self._log_readings(split, read, true)
        if split == "validation" and self.shown is None:
            self.shown = x.detach(), read, true

    def targets(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """What CTC is to spell: the ids of `y` (B, T) without special ones, `(N,)`, and how many a row, `(B,)`."""
        special = torch.tensor(sorted(self.special), device=y.device)
        kept = ~torch.isin(y, special)
        return y[kept], kept.sum(dim=1)
