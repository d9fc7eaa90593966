"""Single lines that `text-recognizer preprocess` packed on their own, in the FSDL lab's shape."""

from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import Dataset

from text_recognizer.data.base import as_ink
from text_recognizer.data.packed_lines import PackedLines
from text_recognizer.data.prepared import PackedModule
from text_recognizer.images import place
from text_recognizer.paths import PROCESSED
from text_recognizer.text import MAPPING, framed

LAB_LINE = 56, 2048  # px: the height of every line, and the width that holds the longest of IAM's at that height
LAB_LENGTH = 89  # tokens of IAM's longest line


class IAMLines(PackedModule[PackedLines]):
    """The packed lines at the left of 2,048 px, as in the lab, where `preprocess.lines` is the lab's 56 px.

    Lines of another height have a width in proportion. A line that is wider is made smaller. `mapping` has no newline,
    as the lab's has none.
    """

    title = "IAM Lines Dataset"
    mapping = MAPPING[:-1]
    file = "{}-lines.npy"

    def __init__(
        self,
        processed: Path = PROCESSED,
        batch_size: int = 16,
        seed: int = 0,
        num_workers: int = 0,
        augment: float = 0.4,
    ) -> None:
        super().__init__(processed, batch_size, num_workers, seed, augment)

    def _open(self, name: str) -> PackedLines:
        return PackedLines.open(self.processed, name)

    def _dataset(self, split: PackedLines) -> Dataset:
        return LineDataset(split, self.input_dims[1:], self.output_dims[0])

    @property
    def input_dims(self) -> tuple[int, int, int]:
        """`(1, H, W)`, by the height of the packed lines. Raises DataError where none are packed."""
        height = self._split("train").height
        return 1, height, round(height * LAB_LINE[1] / LAB_LINE[0])

    @property
    def output_dims(self) -> tuple[int, int]:
        """`(T, 1)`: the lab's 89, or what the longest packed line needs with its two ends."""
        return max(LAB_LENGTH, 2 + max(map(len, self._texts()), default=0)), 1


class LineDataset(Dataset):
    """Every line of a split as `(x, y)`: ink, float (1, H, W) of such a size, and ids, long (length,)."""

    def __init__(self, split: PackedLines, size: tuple[int, int], length: int) -> None:
        self.split, self.size, self.length = split, size, length

    def __len__(self) -> int:
        return len(self.split)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        canvas = place(self.split.picture(index), self.size, 1.0).canvas
        ids = framed(self.split.lines[index].text, self.length)
        return as_ink(torch.from_numpy(canvas)[None]), torch.tensor(ids, dtype=torch.long)
