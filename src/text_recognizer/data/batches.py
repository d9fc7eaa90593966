"""Packed pages as samples, and samples as batches: of whole texts, or of lines."""

from collections.abc import Sequence
from itertools import chain, islice
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from text_recognizer.core.charset import NEWLINE, decode, encode, encode_padded
from text_recognizer.corpora.packed_pages import PackedSplit
from text_recognizer.data.base_data_module import to_foreground
from text_recognizer.pages.feature_grid import FeatureGrid
from text_recognizer.pages.line_building import TextLine
from text_recognizer.pages.normalisation import PAPER
from text_recognizer.pages.strip_batches import group_by_width, to_batch
from text_recognizer.pages.strips import FOUND_HEIGHT, rectify
from text_recognizer.pages.text_detection import TextBox

PADDING_CELLS = 8  # cells of the grid: on a GPU, libraries spend time on every width that they have not met
MAX_PADDING = 1.3  # width of the widest strip of a group, in widths of the narrowest


class Sample(NamedTuple):
    """One page: canvas uint8 (1, H, W), the ids of each line's text, and the lines' boxes (L, 4).

    A box is x, y, width, height in pixels from the top left corner of the canvas.
    """

    canvas: Tensor
    lines: list[Tensor]
    boxes: Tensor


class StripGroup(NamedTuple):
    """Lines of similar length as strips: uint8 (L, 1, H, W), dark ink on paper of 255.

    `rows` are the places of the lines among those of the batch. `targets` holds the ids of all lines, one after
    another; `lengths` (L,) is how many belong to each line.
    """

    strips: Tensor
    rows: list[int]
    targets: Tensor
    lengths: Tensor

    @property
    def texts(self) -> list[str]:
        """Return the texts of the lines."""
        return [decode(ids.tolist()) for ids in self.targets.split(self.lengths.tolist())]


class LineBatch(NamedTuple):
    """The lines of `B` pages, grouped by their length; page `b` has the next `counts[b]` of them."""

    groups: list[StripGroup]
    counts: list[int]

    @property
    def texts(self) -> list[str]:
        """Return the texts of the lines, in the order of the pages."""
        return self.in_order([group.texts for group in self.groups])

    def in_order(self, texts: Sequence[Sequence[str]]) -> list[str]:
        """Put the texts of the lines of each group into the order of the pages."""
        rows = chain.from_iterable(group.rows for group in self.groups)
        return [text for _, text in sorted(zip(rows, chain.from_iterable(texts), strict=True))]

    def pages(self, texts: Sequence[Sequence[str]]) -> list[str]:
        """Join the texts of the lines of each group to those of the pages."""
        following = iter(self.in_order(texts))
        return [NEWLINE.join(islice(following, count)) for count in self.counts]


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
    """Cut the lines of pages out as the strips of a reader at `dpi`, and make a batch of them."""
    strips = [strip for sample in samples for strip in cut_lines(sample, dpi)]
    lines = [line for sample in samples for line in sample.lines]
    chosen = group_by_width([strip.shape[1] for strip in strips], _are_similar)
    groups = [_group([strips[row] for row in rows], [lines[row] for row in rows], rows, dpi) for rows in chosen]
    return LineBatch(groups, [len(sample.lines) for sample in samples])


def _are_similar(_count: int, narrowest: int, wider: int) -> bool:
    """Tell whether a strip may be padded beside the narrowest of its group: paper costs as much as ink."""
    return wider <= MAX_PADDING * narrowest


def _group(strips: Sequence[np.ndarray], lines: Sequence[Tensor], rows: list[int], dpi: int) -> StripGroup:
    """Pad strips with paper to the widest one, in steps of PADDING_CELLS."""
    padded = to_batch(strips, PADDING_CELLS * FeatureGrid.at(dpi).cell_width, PAPER)
    lengths = torch.tensor([len(line) for line in lines], dtype=torch.long)
    return StripGroup(torch.from_numpy(padded), rows, torch.cat(list(lines)), lengths)


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
