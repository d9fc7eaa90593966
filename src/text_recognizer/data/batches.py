"""Packed pages as samples, and samples as batches: of whole texts, or of lines with their boxes."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from text_recognizer.core.charset import NEWLINE, decode, encode, encode_padded
from text_recognizer.corpora.packed_pages import PackedSplit
from text_recognizer.data.base_data_module import to_foreground


class Sample(NamedTuple):
    """One page: canvas uint8 (1, H, W), the ids of each line's text, and the lines' boxes (L, 4).

    A box is x, y, width, height in pixels from the top left corner of the canvas.
    """

    canvas: Tensor
    lines: list[Tensor]
    boxes: Tensor


class Batch(NamedTuple):
    """`B` pages with `L` lines in all: page `b` has the next `counts[b]` lines.

    `canvases` is uint8 (B, 1, H, W), dark ink on paper of 255; `boxes` is (L, 4) as x, y, width, height in pixels.
    `targets` holds the ids of all lines, one after another; `lengths` (L,) is how many belong to each line.
    """

    canvases: Tensor
    boxes: Tensor
    counts: list[int]
    targets: Tensor
    lengths: Tensor

    @property
    def texts(self) -> list[str]:
        """Return the texts of the lines."""
        return [decode(ids.tolist()) for ids in self.targets.split(self.lengths.tolist())]


class PackedDataset(Dataset):
    """The pages of one split as samples."""

    def __init__(self, split: PackedSplit) -> None:
        self.split = split

    def __len__(self) -> int:
        return len(self.split)

    def __getitem__(self, index: int) -> Sample:
        page = self.split.pages[index]
        canvas = torch.from_numpy(np.array(self.split.canvases[index]))[None]
        lines = [torch.tensor(encode(line), dtype=torch.long) for line in page.text.split(NEWLINE)]
        return Sample(canvas, lines, torch.tensor(page.boxes, dtype=torch.float32))


def collate(samples: list[Sample]) -> Batch:
    """Make a batch of lines with their boxes, for a reader that finds lines."""
    lines = [line for sample in samples for line in sample.lines]
    return Batch(
        torch.stack([sample.canvas for sample in samples]),
        torch.cat([sample.boxes for sample in samples]),
        [len(sample.lines) for sample in samples],
        torch.cat(lines),
        torch.tensor([len(line) for line in lines], dtype=torch.long),
    )


def collate_texts(samples: list[Sample], length: int) -> tuple[Tensor, Tensor]:
    """Make a batch of whole texts: ink, float (B, 1, H, W), and tokens, long (B, length).

    The tokens are `<S>`, the characters, `<E>`, and `<P>` to the end.
    """
    ys = [encode_padded(text_of(sample), length) for sample in samples]
    return to_foreground(torch.stack([sample.canvas for sample in samples])), torch.tensor(ys, dtype=torch.long)


def text_of(sample: Sample) -> str:
    """Return the text of a page, its lines joined by newlines."""
    return NEWLINE.join(decode(line.tolist()) for line in sample.lines)
