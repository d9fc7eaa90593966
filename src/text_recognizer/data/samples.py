"""Packed pages as samples, and samples as batches: of whole texts, or of lines with their boxes."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from text_recognizer.data.base import as_ink
from text_recognizer.data.packed import PackedSplit
from text_recognizer.text import NEWLINE, decode, encode, framed


class Sample(NamedTuple):
    """One page: canvas uint8 (1, H, W), the ids of each line's text, and the lines' boxes (L, 4) in pixels."""

    canvas: Tensor
    lines: list[Tensor]
    boxes: Tensor


class Batch(NamedTuple):
    """`B` pages with `L` lines in all, in order: `counts[b]` of them on page `b`.

    `canvases` uint8 (B, 1, H, W), dark ink on paper of 255; `boxes` (L, 4) as x, y, width, height in pixels; `targets`
    the ids of all lines, one after another, `lengths` (L,) how many of them belong to each line.
    """

    canvases: Tensor
    boxes: Tensor
    counts: list[int]
    targets: Tensor
    lengths: Tensor

    @property
    def texts(self) -> list[str]:
        """The lines' texts."""
        return [decode(ids.tolist()) for ids in self.targets.split(self.lengths.tolist())]


class PackedDataset(Dataset):
    """Pages of one split as samples."""

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
    """Lines with their boxes, for a reader that finds lines."""
    lines = [line for sample in samples for line in sample.lines]
    return Batch(
        torch.stack([sample.canvas for sample in samples]),
        torch.cat([sample.boxes for sample in samples]),
        [len(sample.lines) for sample in samples],
        torch.cat(lines),
        torch.tensor([len(line) for line in lines], dtype=torch.long),
    )


def collate_texts(samples: list[Sample], length: int) -> tuple[Tensor, Tensor]:
    """Ink, float (B, 1, H, W), and the whole texts, long (B, length): `<S>`, characters, `<E>`, `<P>` to the end."""
    ys = [framed(text_of(sample), length) for sample in samples]
    return as_ink(torch.stack([sample.canvas for sample in samples])), torch.tensor(ys, dtype=torch.long)


def text_of(sample: Sample) -> str:
    return NEWLINE.join(decode(line.tolist()) for line in sample.lines)
