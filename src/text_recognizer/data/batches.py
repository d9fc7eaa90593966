"""Packed pages as samples, and samples as batches: of whole texts, or of lines."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from text_recognizer.core.charset import NEWLINE, decode, encode, encode_padded
from text_recognizer.corpora.packed_pages import PackedSplit
from text_recognizer.data.base_data_module import to_foreground
from text_recognizer.pages.line_building import TextLine
from text_recognizer.pages.normalisation import PAPER
from text_recognizer.pages.strips import FOUND_HEIGHT, rectify, strip_height
from text_recognizer.pages.text_detection import TextBox

PADDING_STEP = 64  # pixels: on a GPU, libraries spend time on every width that they have not met


class Sample(NamedTuple):
    """One page: canvas uint8 (1, H, W), the ids of each line's text, and the lines' boxes (L, 4).

    A box is x, y, width, height in pixels from the top left corner of the canvas.
    """

    canvas: Tensor
    lines: list[Tensor]
    boxes: Tensor


class LineBatch(NamedTuple):
    """The lines of `B` pages as strips, `L` in all: page `b` has the next `counts[b]` of them.

    `strips` is uint8 (L, 1, H, W), dark ink on paper of 255. `targets` holds the ids of all lines, one after another;
    `lengths` (L,) is how many belong to each line.
    """

    strips: Tensor
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


def collate_lines(samples: list[Sample], dpi: int) -> LineBatch:
    """Cut the lines of pages out as the strips of a reader at `dpi`, and make a batch of them.

    The strips are padded with paper to the widest one, in steps of PADDING_STEP.
    """
    strips = [strip for sample in samples for strip in cut_lines(sample, dpi)]
    lines = [line for sample in samples for line in sample.lines]
    width = max(strip.shape[1] for strip in strips)
    padded = np.full((len(strips), 1, strip_height(dpi), width + -width % PADDING_STEP), PAPER, dtype=np.uint8)
    for row, strip in zip(padded, strips, strict=True):
        row[0, :, : strip.shape[1]] = strip
    return LineBatch(
        torch.from_numpy(padded),
        [len(sample.lines) for sample in samples],
        torch.cat(lines),
        torch.tensor([len(line) for line in lines], dtype=torch.long),
    )


def cut_lines(sample: Sample, dpi: int) -> list[np.ndarray]:
    """Return each line in the box of a page as the text detector would find it: a strip of a reader at `dpi`."""
    boxes = [
        TextLine((TextBox(x + width / 2, y + height / 2, width, FOUND_HEIGHT * height, degrees=0.0, score=1.0),))
        for x, y, width, height in sample.boxes.tolist()
    ]
    return [strip.pixels for strip in rectify(sample.canvas[0].numpy(), boxes, dpi)]


def collate_texts(samples: list[Sample], length: int) -> tuple[Tensor, Tensor]:
    """Make a batch of whole texts: ink, float (B, 1, H, W), and tokens, long (B, length).

    The tokens are `<S>`, the characters, `<E>`, and `<P>` to the end.
    """
    ys = [encode_padded(text_of(sample), length) for sample in samples]
    return to_foreground(torch.stack([sample.canvas for sample in samples])), torch.tensor(ys, dtype=torch.long)


def text_of(sample: Sample) -> str:
    """Return the text of a page, its lines joined by newlines."""
    return NEWLINE.join(decode(line.tolist()) for line in sample.lines)
