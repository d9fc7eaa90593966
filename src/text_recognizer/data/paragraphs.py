"""Packed paragraphs as LightningDataModules, for readers of whole texts and for readers of lines."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal

import torch
from torch.utils.data import DataLoader, Dataset

from text_recognizer.data.packed import PackedSplit
from text_recognizer.data.prepared import PackedModule
from text_recognizer.data.recombined import Recombined
from text_recognizer.data.rounds import Buckets, MixedSampler, RoundSampler, Step
from text_recognizer.data.samples import Batch, PackedDataset, Sample, collate, collate_texts
from text_recognizer.paths import PROCESSED
from text_recognizer.text import encode

LAB_CANVAS, LAB_LENGTH = (576, 640), 682  # the FSDL lab's page, and the tokens of its longest text
Target = Literal["text", "lines"]


class IAMParagraphs(PackedModule[PackedSplit]):
    """Paragraphs that `text-recognizer preprocess` packed, from IAM or from an archive in its layout.

    With the target 'text' a batch is `xs, ys`; with 'lines' it is a `Batch`, what a reader that finds lines needs.
    A round is every page once, or `round_steps` steps of an endless shuffled stream of them. `bucketed` batches are of
    pages about as tall, so that less of their canvases is empty.
    """

    title = "IAM Paragraphs Dataset"

    def __init__(
        self,
        processed: Path = PROCESSED,
        batch_size: int = 16,
        round_steps: int | None = None,
        seed: int = 0,
        num_workers: int = 0,
        target: Target = "text",
        augment: float = 0.4,
        bucketed: bool = False,
    ) -> None:
        super().__init__(processed, batch_size, num_workers, seed, augment)
        self.round_steps, self.target, self.bucketed = round_steps, target, bucketed

    def _open(self, name: str) -> PackedSplit:
        return PackedSplit.open(self.processed, name)

    def _dataset(self, split: PackedSplit) -> Dataset:
        return PackedDataset(split)

    @property
    def input_dims(self) -> tuple[int, int, int]:
        """`(1, H, W)` of the packed pages. Raises DataError where nothing is packed yet."""
        height, width = self._split("train").canvases.shape[1:]
        return 1, int(height), int(width)

    @property
    def output_dims(self) -> tuple[int, int]:
        """`(T, 1)`: the longest packed text with its two ends; at least the lab's 682 on a page of the lab's size."""
        longest = 2 + max(map(len, self._texts()))
        return (max(longest, LAB_LENGTH) if self.input_dims[1:] == LAB_CANVAS else longest), 1

    def train_dataloader(self) -> DataLoader:
        pages = len(self._split("train"))
        length = self.round_steps * self.batch_size * self.place[1] if self.round_steps else pages
        sampler = RoundSampler(pages, length, self.seed, *self.place, self._buckets())
        return self._loader(self.data_train, sampler=sampler)

    def _buckets(self) -> Buckets | None:
        if not self.bucketed:
            return None
        lowest = [max((y + height for _, y, _, height in page.boxes), default=0) for page in self._split("train").pages]
        return Buckets(lowest, self.batch_size)

    def _collate(self) -> Callable:
        return collate if self.target == "lines" else partial(collate_texts, length=self.output_dims[0])

    def _batch_lines(self, name: str, batch: tuple) -> list[str]:
        if not isinstance(batch, Batch):
            return super()._batch_lines(name, batch)
        return [f"{name} batch: {tuple(batch.canvases.shape)} uint8, {len(batch.boxes)} lines"]


class IAMSyntheticParagraphs(IAMParagraphs):
    """Trains on recombined pages alone, as many a round as there are real ones; validates and tests on real pages.

    A step is on pages of one kind; `share` is how many steps are on recombined ones, in the first and the last of
    `rounds`. For a reader of lines recombined pages are smaller, and there are more of them in a batch, so that every
    step costs about the same; for a reader of whole texts they are of the size of the others.
    """

    title = "IAM Synthetic Paragraphs Dataset"
    laps = 1  # of the pages as they were written that make a round, where `round_steps` does not say it
    rounds = 10
    share = 1.0, 1.0

    def train_dataloader(self) -> DataLoader:
        split = self._split("train")
        height, width = split.canvases.shape[1:]
        if self.target == "lines":
            size = max(32, height // 3 // 16 * 16), max(32, width * 4 // 5 // 16 * 16)
            many = max(1, self.batch_size * height * width // (size[0] * size[1]))
        else:
            size, many = (height, width), self.batch_size
        limit = self.output_dims[0] - 2 if self.target == "text" else None
        steps = self.round_steps or self.laps * -(-len(split) // (self.batch_size * self.place[1]))
        dataset = MixedDataset(PackedDataset(split), Recombined(split, size, self.seed, limit), many, self._collate())
        common = len(split), self.batch_size, many, steps, self.seed, self.rounds, self.share
        plan = MixedSampler(*common, *self.place, self._buckets())
        return DataLoader(dataset, batch_size=None, sampler=plan, **self._workers())


class IAMOriginalAndSyntheticParagraphs(IAMSyntheticParagraphs):
    """Pages as they were written, and pages recombined from their words and lines, in shares that can be set."""

    title = "IAM Original and Synthetic Paragraphs Dataset"
    laps = 2

    def __init__(
        self,
        processed: Path = PROCESSED,
        batch_size: int = 16,
        round_steps: int | None = None,
        seed: int = 0,
        num_workers: int = 0,
        target: Target = "text",
        augment: float = 0.4,
        rounds: int = 10,
        share: tuple[float, float] = (0.5, 0.5),
        bucketed: bool = False,
    ) -> None:
        super().__init__(processed, batch_size, round_steps, seed, num_workers, target, augment, bucketed)
        self.rounds, self.share = rounds, share


class MixedDataset(Dataset):
    """Whole batches, of pages or of recombined pages."""

    def __init__(self, pages: PackedDataset, recombined: Recombined, many: int, collate_fn: Callable) -> None:
        self.pages, self.recombined, self.many, self.collate = pages, recombined, many, collate_fn

    def __len__(self) -> int:
        """Batches of recombined pages that have as many pages in all as were written."""
        return -(-len(self.pages) // self.many)

    def __getitem__(self, step: Step | int) -> tuple:
        # Lightning numbers the batches itself where it is to overfit a few of them.
        if isinstance(step, int):
            step = Step(True, list(range(step * self.many, (step + 1) * self.many)))
        make = self._recombine if step.recombined else self.pages.__getitem__
        return self.collate([make(number) for number in step.numbers])

    def _recombine(self, number: int) -> Sample:
        canvas, texts, boxes = self.recombined.page(number)
        lines = [torch.tensor(encode(text), dtype=torch.long) for text in texts]
        return Sample(torch.from_numpy(canvas)[None], lines, torch.tensor(boxes, dtype=torch.float32))
