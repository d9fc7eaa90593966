"""Choose the pages of each training step, as a function of the seed and the epoch, so that a run can be resumed."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

import numpy as np
from torch.utils.data import Sampler


@dataclass(frozen=True)
class Process:
    """The rank of a process, from 0, among `world_size` processes that train together."""

    rank: int = 0
    world_size: int = 1


ALONE = Process()


class EpochSampler(Sampler[int]):
    """An endless shuffled stream of the indices of `pages` pages, cut into epochs of `length` indices.

    Each pass over the pages has an order of its own. Epoch `e` is a pure function of the seed and `e`, so training that
    resumes at an epoch gets the same pages as an uninterrupted run. Lightning calls `set_epoch` before each epoch.

    If several processes train together, the process of rank `r` gets every `world_size`-th index: their batches of `n`
    are, together, the batches of `n * world_size` of one process. An epoch that they do not divide borrows from the
    next one.

    With `weights` (pages,), a pass has as many pages, and each is drawn in proportion to its weight.
    """

    def __init__(
        self, pages: int, length: int, seed: int, process: Process = ALONE, weights: np.ndarray | None = None
    ) -> None:
        self.pages, self.length, self.seed, self.epoch = pages, length, seed, 0
        self.process = process
        self.shares = None if weights is None else weights / weights.sum()

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return -(-self.length // self.process.world_size)

    def __iter__(self) -> Iterator[int]:
        start, world_size = self.epoch * self.length, self.process.world_size
        stream = self._stream(start, start + len(self) * world_size)
        yield from islice(stream, self.process.rank, None, world_size)

    def _stream(self, position: int, stop: int) -> Iterator[int]:
        while position < stop:
            number, offset = divmod(position, self.pages)  # of the pass over all pages, and within it
            draw = np.random.default_rng((self.seed, number))
            order = draw.permutation(self.pages) if self.shares is None else self._weighted(draw)
            chosen = order[offset : offset + stop - position]
            yield from map(int, chosen)
            position += len(chosen)

    def _weighted(self, draw: np.random.Generator) -> np.ndarray:
        """Draw the pages of a pass in proportion to their weights."""
        return draw.choice(self.pages, self.pages, p=self.shares)


class EvenBatches(Sampler[list[int]]):
    """Every index once, in order, divided among the processes into equally many batches each.

    An index that two processes had would count twice, and a process with one more batch would wait for the others for
    ever. So some batches are smaller, or, at a `batch_size` of 1, larger by one. If there are fewer indices than
    processes, every process gets all of them.
    """

    def __init__(self, length: int, batch_size: int, process: Process) -> None:
        world_size = process.world_size
        each = min(-(-length // (batch_size * world_size)), length // world_size)
        indices = np.arange(length)
        if each:
            parts = np.array_split(indices, each * world_size)[process.rank :: world_size]
        else:
            parts = np.split(indices, range(batch_size, length, batch_size))
        self.batches: list[list[int]] = [part.tolist() for part in parts]

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[list[int]]:
        yield from self.batches


class Step(NamedTuple):
    """The pages of one training step: pages of the split by their index, or recombined pages by their number."""

    recombined: bool
    numbers: list[int]


@dataclass(frozen=True)
class Mixture:
    """The share of steps on recombined pages in the first and in the last of `epochs`, and how many make a batch."""

    share: tuple[float, float]
    epochs: int
    batch_size: int


class MixedSampler(Sampler[Step]):
    """Yield the steps of an epoch, a pure function of the seed and the epoch.

    `originals` yields the pages of the split; its length and `batch_size` decide the number of steps. Processes that
    train together divide every batch among them as those of EpochSampler do.
    """

    def __init__(self, originals: EpochSampler, batch_size: int, mixture: Mixture) -> None:
        self.originals, self.batch_size, self.mixture, self.epoch = originals, batch_size, mixture, 0
        self.steps_per_epoch = len(originals) // batch_size

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch
        self.originals.set_epoch(epoch)

    def __len__(self) -> int:
        return self.steps_per_epoch

    def __iter__(self) -> Iterator[Step]:
        first, last = self.mixture.share
        share = first + (last - first) * (self.epoch / max(1, self.mixture.epochs - 1))
        draw = np.random.default_rng((self.originals.seed, self.epoch))
        process, pages = self.originals.process, iter(self.originals)
        count = self.mixture.batch_size * process.world_size
        for step in range(self.epoch * self.steps_per_epoch, (self.epoch + 1) * self.steps_per_epoch):
            if draw.random() < share:
                yield Step(True, list(range(step * count + process.rank, (step + 1) * count, process.world_size)))
            else:
                yield Step(False, [next(pages) for _ in range(self.batch_size)])
