"""Packed paragraphs as a LightningDataModule."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from text_recognizer.data.packed import PackedSplit
from text_recognizer.data.recombined import Recombined
from text_recognizer.paths import PROCESSED
from text_recognizer.text import MAPPING, NEWLINE, decode, encode


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


class RoundSampler(Sampler[int]):
    """An endless shuffled stream of indices, cut into rounds of equal length.

    Round `r` is a pure function of the seed and `r`, so training that resumes at a round sees the pages that an
    uninterrupted run would have seen. Lightning calls `set_epoch` before each round.
    """

    def __init__(self, pages: int, length: int, seed: int) -> None:
        self.pages, self.length, self.seed, self.epoch = pages, length, seed, 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[int]:
        position, stop = self.epoch * self.length, (self.epoch + 1) * self.length
        while position < stop:
            lap, offset = divmod(position, self.pages)
            order = np.random.default_rng((self.seed, lap)).permutation(self.pages)
            chosen = order[offset : offset + stop - position]
            yield from map(int, chosen)
            position += len(chosen)


class Step(NamedTuple):
    """What one training step is on: pages of the split by their index, or recombined ones by their number."""

    recombined: bool
    numbers: list[int]


class MixedDataset(Dataset):
    """Whole batches, of pages or of recombined pages."""

    def __init__(self, pages: PackedDataset, recombined: Recombined) -> None:
        self.pages, self.recombined = pages, recombined

    def __getitem__(self, step: Step) -> Batch:
        make = self._recombine if step.recombined else self.pages.__getitem__
        return collate([make(number) for number in step.numbers])

    def _recombine(self, number: int) -> Sample:
        canvas, texts, boxes = self.recombined.page(number)
        lines = [torch.tensor(encode(text), dtype=torch.long) for text in texts]
        return Sample(torch.from_numpy(canvas)[None], lines, torch.tensor(boxes, dtype=torch.float32))


class MixedSampler(Sampler[Step]):
    """Plans the steps of a round, a pure function of the seed and the round. `many` recombined pages make a batch."""

    def __init__(
        self,
        pages: int,
        batch_size: int,
        many: int,
        round_steps: int,
        seed: int,
        rounds: int,
        share: tuple[float, float],
    ) -> None:
        self.batch_size, self.many, self.round_steps = batch_size, many, round_steps
        self.seed, self.rounds, self.share, self.epoch = seed, rounds, share, 0
        self.originals = RoundSampler(pages, round_steps * batch_size, seed)

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch
        self.originals.set_epoch(epoch)

    def __len__(self) -> int:
        return self.round_steps

    def __iter__(self) -> Iterator[Step]:
        done = self.epoch / max(1, self.rounds - 1)
        share = self.share[0] + (self.share[1] - self.share[0]) * done
        draw = np.random.default_rng((self.seed, self.epoch))
        pages = iter(self.originals)
        for step in range(self.epoch * self.round_steps, (self.epoch + 1) * self.round_steps):
            if draw.random() < share:
                yield Step(True, list(range(step * self.many, (step + 1) * self.many)))
            else:
                yield Step(False, [next(pages) for _ in range(self.batch_size)])


class IAMParagraphs(pl.LightningDataModule):
    """Paragraphs that `text-recognizer preprocess` packed, from IAM or from an archive in its layout."""

    mapping = MAPPING

    def __init__(
        self,
        processed: Path = PROCESSED,
        batch_size: int = 16,
        round_steps: int = 100,
        seed: int = 0,
        loaders: int = 0,
    ) -> None:
        super().__init__()
        self.processed, self.batch_size, self.loaders = processed, batch_size, loaders
        self.round_steps, self.seed = round_steps, seed
        self.splits: dict[str, PackedSplit] = {}

    def setup(self, stage: str = "fit") -> None:
        """Opens the splits that the stage ('fit' or 'test') needs."""
        needed = ("train", "validation") if stage == "fit" else (stage,)
        self.splits |= {split: PackedSplit.open(self.processed, split) for split in needed}

    def train_dataloader(self) -> DataLoader:
        dataset = PackedDataset(self.splits["train"])
        sampler = RoundSampler(len(dataset), self.round_steps * self.batch_size, self.seed)
        return DataLoader(dataset, self.batch_size, sampler=sampler, collate_fn=collate, num_workers=self.loaders)

    def val_dataloader(self) -> DataLoader:
        return DataLoader(PackedDataset(self.splits["validation"]), self.batch_size, collate_fn=collate)

    def __repr__(self) -> str:
        held = ", ".join(f"{name} {split.canvases.shape}" for name, split in self.splits.items()) or "not set up"
        return f"{type(self).__name__}({str(self.processed)!r}: {held}; {len(self.mapping)} classes)"


class IAMOriginalAndSyntheticParagraphs(IAMParagraphs):
    """Pages as they were written, and pages recombined from their words and lines.

    A step is on pages of one kind. Recombined ones are smaller, and there are more of them in a batch, so that every
    step costs about the same. `share` is how many steps are on recombined ones, in the first and the last of `rounds`.
    """

    def __init__(
        self,
        processed: Path = PROCESSED,
        batch_size: int = 16,
        round_steps: int = 100,
        seed: int = 0,
        loaders: int = 0,
        rounds: int = 10,
        share: tuple[float, float] = (0.5, 0.5),
    ) -> None:
        super().__init__(processed, batch_size, round_steps, seed, loaders)
        self.rounds, self.share = rounds, share

    def train_dataloader(self) -> DataLoader:
        split = self.splits["train"]
        height, width = split.canvases.shape[1:]
        size = max(32, height // 3 // 16 * 16), max(32, width * 4 // 5 // 16 * 16)
        many = max(1, self.batch_size * height * width // (size[0] * size[1]))
        dataset = MixedDataset(PackedDataset(split), Recombined(split, size, self.seed))
        plan = MixedSampler(len(split), self.batch_size, many, self.round_steps, self.seed, self.rounds, self.share)
        return DataLoader(dataset, batch_size=None, sampler=plan, num_workers=self.loaders)


def collate(samples: list[Sample]) -> Batch:
    lines = [line for sample in samples for line in sample.lines]
    return Batch(
        torch.stack([sample.canvas for sample in samples]),
        torch.cat([sample.boxes for sample in samples]),
        [len(sample.lines) for sample in samples],
        torch.cat(lines),
        torch.tensor([len(line) for line in lines], dtype=torch.long),
    )
