"""Single lines that `text-recognizer preprocess` packed on their own, in the shape of the FSDL lab."""

from pathlib import Path

import torch
from torch import Tensor
from torch.utils.data import Dataset

from text_recognizer.core.charset import CHARSET, encode_padded
from text_recognizer.core.layout import LAYOUT
from text_recognizer.corpora.packed_lines import PackedLines
from text_recognizer.data.base_data_module import to_foreground
from text_recognizer.data.packed_data_module import PackedModule
from text_recognizer.pages.canvas import place_on_canvas

LAB_LINE = 56, 2048  # px: height of every line, and the width that holds the longest line of IAM at that height
LAB_LENGTH = 89  # tokens of the longest line of IAM


class IAMLines(PackedModule[PackedLines]):
    """The packed lines, each at the left of a canvas of 2,048 px as in the lab, if `preprocess.line_height` is 56 px.

    Lines of another height have a width in proportion. A line that is wider is made smaller. `mapping` has no newline,
    as in the lab.
    """

    title = "IAM Lines Dataset"
    mapping = CHARSET[:-1]
    file = "{}-lines.npy"

    def __init__(
        self,
        processed: Path = LAYOUT.processed,
        batch_size: int = 16,
        seed: int = 0,
        num_workers: int = 0,
        augment: float = 0.4,
    ) -> None:
        super().__init__(processed, batch_size, seed, num_workers, augment)

    def _open(self, name: str) -> PackedLines:
        return PackedLines.open(self.processed, name)

    def _dataset(self, split: PackedLines) -> Dataset:
        return LineDataset(split, self.input_dims[1:], self.output_dims[0])

    @property
    def input_dims(self) -> tuple[int, int, int]:
        """Return `(1, H, W)` for the height of the packed lines. Raises DataError if no lines are packed."""
        height = self._split("train").height
        return 1, height, round(height * LAB_LINE[1] / LAB_LINE[0])

    @property
    def output_dims(self) -> tuple[int, int]:
        """Return `(T, 1)`: the lab's 89, or what the longest packed line needs with start and end."""
        return max(LAB_LENGTH, 2 + max(map(len, self._texts()), default=0)), 1


class LineDataset(Dataset):
    """Every line of a split as `(x, y)`: ink, float (1, H, W) of `size`, and ids, long (length,)."""

    def __init__(self, split: PackedLines, size: tuple[int, int], length: int) -> None:
        self.split, self.size, self.length = split, size, length

    def __len__(self) -> int:
        return len(self.split)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        canvas = place_on_canvas(self.split.picture(index), self.size, 1.0).canvas
        ids = encode_padded(self.split.lines[index].text, self.length)
        return to_foreground(torch.from_numpy(canvas)[None]), torch.tensor(ids, dtype=torch.long)
