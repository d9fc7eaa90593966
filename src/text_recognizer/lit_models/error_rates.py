"""Character and word error rates over a whole split: edits over length, both summed."""

from collections.abc import Sequence

import torch
from torch import Tensor

from text_recognizer.core.charset import join_lines
from text_recognizer.core.metrics import Edits, character_edits, error_rate, word_edits

# CER with newlines as spaces (the convention of published paragraph results), CER with newlines kept, and WER.
NAMES = ("cer", "cer_newlines", "wer")


class SplitErrors:
    """The edits and the reference lengths of the texts that were added, one pair for each of NAMES."""

    def __init__(self) -> None:
        self._sums = [[0, 0] for _ in NAMES]

    def add(self, true: Sequence[str], read: Sequence[str]) -> None:
        """Add the texts of a batch: what was written and what was read."""
        for reference, hypothesis in zip(true, read, strict=True):
            rows = (
                character_edits(join_lines(reference), join_lines(hypothesis)),
                character_edits(reference, hypothesis),
                word_edits(reference, hypothesis),
            )
            for total, row in zip(self._sums, rows, strict=True):
                total[0] += row.edits
                total[1] += row.length

    def sums(self, device: torch.device) -> Tensor:
        """Return edits and lengths, long (3, 2), which processes that train together can add up."""
        return torch.tensor(self._sums, dtype=torch.long, device=device)

    @staticmethod
    def rates(sums: Tensor) -> dict[str, float]:
        """Return the rate of each of NAMES from such sums. A rate whose length is 0 is left out."""
        rows = zip(NAMES, sums.tolist(), strict=True)
        return {name: error_rate([Edits(edits, length)]) for name, (edits, length) in rows if length}
