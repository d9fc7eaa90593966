"""Packed paragraphs as LightningDataModules, for models that read whole texts and for models that read lines."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from text_recognizer.core.charset import encode
from text_recognizer.core.layout import LAYOUT
from text_recognizer.corpora.packed_pages import PackedSplit
from text_recognizer.data.batches import LineBatch, PackedDataset, Sample, collate_lines, collate_texts
from text_recognizer.data.packed_data_module import PackedModule
from text_recognizer.data.recombination import Recombined
from text_recognizer.data.samplers import EpochSampler, MixedSampler, Mixture, Step

LAB_CANVAS, LAB_LENGTH = (576, 640), 682  # the FSDL lab's page, and the tokens of its longest text
Target = Literal["text", "lines"]


@dataclass(frozen=True)
class EpochOptions:
    """What a batch holds and what an epoch is.

    With the target 'text' a batch is `xs, ys`; with 'lines' it is a `LineBatch`, the strips of a reader at `dpi`. An
    epoch is every page once, or `steps_per_epoch` steps of an endless shuffled stream. `recombined` is the share of
    steps on recombined pages, in the first and in the last of `epochs`; only IAMOriginalAndSyntheticParagraphs uses it.
    """

    target: Target = "text"
    steps_per_epoch: int | None = None
    recombined: tuple[float, float] = (0.5, 0.5)
    epochs: int = 10
    dpi: int = 75


DEFAULTS = EpochOptions()


class IAMParagraphs(PackedModule[PackedSplit]):
    """Paragraphs that `text-recognizer preprocess` packed, from IAM or from an archive in its layout."""

    title = "IAM Paragraphs Dataset"

    def __init__(
        self,
        processed: Path = LAYOUT.processed,
        batch_size: int = 16,
        seed: int = 0,
        num_workers: int = 0,
        augment: float = 0.4,
        options: EpochOptions = DEFAULTS,
    ) -> None:
        super().__init__(processed, batch_size, seed, num_workers, augment)
        self.options = options

    def _open(self, name: str) -> PackedSplit:
        return PackedSplit.open(self.processed, name)

    def _dataset(self, split: PackedSplit) -> Dataset:
        return PackedDataset(split)

    @property
    def input_dims(self) -> tuple[int, int, int]:
        """`(1, H, W)` of the packed pages. Raises DataError if nothing is packed yet."""
        height, width = self._split("train").canvases.shape[1:]
        return 1, int(height), int(width)

    @property
    def output_dims(self) -> tuple[int, int]:
        """`(T, 1)`: the longest packed text with start and end; at least the lab's 682 on a page of the lab's size."""
        longest = 2 + max(map(len, self._texts()))
        return (max(longest, LAB_LENGTH) if self.input_dims[1:] == LAB_CANVAS else longest), 1

    def train_dataloader(self) -> DataLoader:
        """Yield every page once per epoch, or `steps_per_epoch` batches of an endless shuffled stream."""
        pages, steps = len(self._split("train")), self.options.steps_per_epoch
        length = steps * self.batch_size * self.process.world_size if steps else pages
        return self._loader(self.data_train, sampler=self._pages(length))

    def _pages(self, length: int) -> EpochSampler:
        """Return the stream of training pages, `length` of them per epoch over all processes."""
        split = self._split("train")
        weights = split.weights
        is_weighted = len(np.unique(weights)) > 1
        return EpochSampler(len(split), length, self.seed, self.process, weights if is_weighted else None)

    def _collate(self) -> Callable[[list[Any]], Any]:
        if self.options.target == "lines":
            return partial(collate_lines, dpi=self.options.dpi)
        return partial(collate_texts, length=self.output_dims[0])

    def on_after_batch_transfer(self, batch: object, index: int) -> object:
        """Augment a training batch of whole texts; the reader's own module augments lines."""
        return batch if isinstance(batch, LineBatch) else super().on_after_batch_transfer(batch, index)

    def _describe(self, name: str, batch: Any) -> list[str]:  # noqa: ANN401
        if not isinstance(batch, LineBatch):
            return super()._describe(name, batch)
        shapes = ", ".join(str(tuple(group.strips.shape)) for group in batch.groups)
        return [f"{name} batch: the lines of {len(batch.counts)} pages as uint8 {shapes}"]


class IAMSyntheticParagraphs(IAMParagraphs):
    """Train on recombined pages only, as many per epoch as there are real ones; validate and test on real pages.

    For a reader of lines the recombined pages are smaller, and a batch has more of them, so that every step costs
    about the same; for a model that reads whole texts they have the size of the others.
    """

    title = "IAM Synthetic Paragraphs Dataset"
    passes = 1  # over the original pages per epoch, unless `steps_per_epoch` is given

    @property
    def share(self) -> tuple[float, float]:
        """The share of steps on recombined pages, in the first and in the last epoch."""
        return 1.0, 1.0

    def train_dataloader(self) -> DataLoader:
        """Yield whole batches, each of original or of recombined pages."""
        split, collate_fn, world_size = self._split("train"), self._collate(), self.process.world_size
        size, count = self._recombined_batch()
        steps = self.options.steps_per_epoch or self.passes * -(-len(split) // (self.batch_size * world_size))
        limit = self.output_dims[0] - 2 if self.options.target == "text" else None
        recombined = Recombined(split, size, self.seed, limit)
        dataset = MixedDataset(PackedDataset(split), recombined, count, collate_fn)
        pages = self._pages(steps * self.batch_size * world_size)
        sampler = MixedSampler(pages, self.batch_size, Mixture(self.share, self.options.epochs, count))
        return DataLoader(dataset, batch_size=None, sampler=sampler, **self._worker_settings())

    def _recombined_batch(self) -> tuple[tuple[int, int], int]:
        """Return the size (height, width) of recombined pages in pixels, and how many make a batch."""
        height, width = self.input_dims[1:]
        if self.options.target == "text":
            return (height, width), self.batch_size
        size = max(32, height // 3 // 16 * 16), max(32, width * 4 // 5 // 16 * 16)
        return size, max(1, self.batch_size * height * width // (size[0] * size[1]))


class IAMOriginalAndSyntheticParagraphs(IAMSyntheticParagraphs):
    """Original pages, and pages recombined from their words and lines, in the shares of `options.recombined`."""

    title = "IAM Original and Synthetic Paragraphs Dataset"
    passes = 2

    @property
    def share(self) -> tuple[float, float]:
        return self.options.recombined


class MixedDataset(Dataset):
    """Whole batches: of original pages, or of `count` recombined pages."""

    def __init__(
        self, pages: PackedDataset, recombined: Recombined, count: int, collate_fn: Callable[[list[Any]], Any]
    ) -> None:
        self.pages, self.recombined, self.count, self.collate = pages, recombined, count, collate_fn

    def __len__(self) -> int:
        """Return the number of batches of recombined pages that have as many pages in all as the split."""
        return -(-len(self.pages) // self.count)

    def __getitem__(self, step: Step | int) -> Any:  # noqa: ANN401
        # Lightning numbers the batches itself if it overfits a few of them.
        if isinstance(step, int):
            step = Step(True, list(range(step * self.count, (step + 1) * self.count)))
        make = self._recombine if step.recombined else self.pages.__getitem__
        return self.collate([make(number) for number in step.numbers])

    def _recombine(self, number: int) -> Sample:
        canvas, texts, boxes = self.recombined.page(number)
        lines = [torch.tensor(encode(text), dtype=torch.long) for text in texts]
        return Sample(torch.from_numpy(canvas)[None], lines, torch.tensor(boxes, dtype=torch.float32))
