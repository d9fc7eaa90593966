"""Single lines, cut from packed pages by their boxes, in the FSDL lab's shape."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from text_recognizer.data.base import as_ink
from text_recognizer.data.packed import PackedSplit
from text_recognizer.data.prepared import PackedModule
from text_recognizer.images import place
from text_recognizer.paths import PROCESSED
from text_recognizer.text import MAPPING, NEWLINE, framed

LAB_LINE = 56, 2048  # px: the height of every line, and the width that holds the longest of IAM's at that height
LAB_LENGTH = 89  # tokens of IAM's longest line
SLACK = 3  # px of the page above and below a line's box that are cut out with it


class IAMLines(PackedModule):
    """The lines of the packed pages: 56 px high, as wide as that makes them, at the left of 2,048 px, as in the lab.

    A line that would be wider is made smaller. Its `mapping` has no newline, as the lab's has none.
    """

    title = "IAM Lines Dataset"
    mapping = MAPPING[:-1]

    def __init__(
        self,
        processed: Path = PROCESSED,
        batch_size: int = 16,
        seed: int = 0,
        num_workers: int = 0,
        augment: float = 0.4,
    ) -> None:
        super().__init__(processed, batch_size, num_workers, seed, augment)

    def _dataset(self, split: PackedSplit) -> Dataset:
        return LineDataset(split, self.output_dims[0])

    @property
    def input_dims(self) -> tuple[int, int, int]:
        return 1, *LAB_LINE

    @property
    def output_dims(self) -> tuple[int, int]:
        """`(T, 1)`: the lab's 89, or what the longest packed line needs with its two ends."""
        return max(LAB_LENGTH, 2 + max(len(line) for text in self._texts() for line in text.split(NEWLINE))), 1


class LineDataset(Dataset):
    """Every line of a split as `(x, y)`: ink, float (1, 56, 2048), and ids, long (length,)."""

    def __init__(self, split: PackedSplit, length: int) -> None:
        self.split, self.length = split, length
        self.lines = [
            (index, text, box)
            for index, page in enumerate(split.pages)
            for text, box in zip(page.text.split(NEWLINE), page.boxes, strict=True)
        ]

    def __len__(self) -> int:
        return len(self.lines)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        page, text, box = self.lines[index]
        canvas = cut_line(self.split.canvases[page], box)
        return as_ink(torch.from_numpy(canvas)[None]), torch.tensor(framed(text, self.length), dtype=torch.long)


def cut_line(page: np.ndarray, box: tuple[int, int, int, int]) -> np.ndarray:
    """The line in `box` (x, y, width, height) of a page, uint8 (H, W), as a canvas, uint8 LAB_LINE."""
    x, y, width, height = box
    top, left = max(0, y - SLACK), max(0, x - SLACK)
    crop = page[top : max(top + 1, y + height + SLACK), left : max(left + 1, x + width + SLACK)]
    return place(np.asarray(crop), LAB_LINE, LAB_LINE[0] / len(crop)).canvas
