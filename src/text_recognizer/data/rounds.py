"""Which pages a training step is on: plans that are a function of the seed and the round, so that a run can resume."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np
from torch.utils.data import Sampler


class Buckets(NamedTuple):
    """How pages of about the same height come into a batch of `size`: `heights` of all pages."""

    heights: Sequence[int]
    size: int

    def arranged(self, pages: Iterator[int], draw: np.random.Generator) -> Iterator[int]:
        """The same pages: WINDOW batches at a time are sorted by height, and divided into batches in any order."""
        while window := sorted(islice(pages, WINDOW * self.size), key=self.heights.__getitem__):
            batches = [window[start : start + self.size] for start in range(0, len(window), self.size)]
            for batch in draw.permutation(len(batches)):
                yield from batches[batch]


WINDOW = 8


class RoundSampler(Sampler[int]):
    """An endless shuffled stream of indices, cut into rounds of equal length.

    Round `r` is a pure function of the seed and `r`, so training that resumes at a round sees the pages that an
    uninterrupted run would have seen. Lightning calls `set_epoch` before each round.

    Of `ranks` processes that train together, number `rank` gets every `ranks`-th index: their batches of `n` are,
    together, the batches of `n * ranks` of one process. A round that they do not divide borrows from the next one.
    With `buckets`, the pages of a batch are about as tall.
    """

    def __init__(
        self, pages: int, length: int, seed: int, rank: int = 0, ranks: int = 1, buckets: Buckets | None = None
    ) -> None:
        self.pages, self.length, self.seed, self.epoch = pages, length, seed, 0
        self.rank, self.ranks, self.buckets = rank, ranks, buckets

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return -(-self.length // self.ranks)

    def __iter__(self) -> Iterator[int]:
        start = self.epoch * self.length
        own = islice(self._stream(start, start + len(self) * self.ranks), self.rank, None, self.ranks)
        yield from self.buckets.arranged(own, np.random.default_rng((self.seed, start))) if self.buckets else own

    def _stream(self, position: int, stop: int) -> Iterator[int]:
        while position < stop:
            lap, offset = divmod(position, self.pages)
            order = np.random.default_rng((self.seed, lap)).permutation(self.pages)
            chosen = order[offset : offset + stop - position]
            yield from map(int, chosen)
            position += len(chosen)


class EvenBatches(Sampler[list[int]]):
    """Every index once, in order, over `ranks` processes that get as many batches each.

    A page that two of them had would count twice, and one with a batch more would wait for the others for ever; so
    some batches are smaller, or at a `batch_size` of 1 larger by one. Too few indices for the processes go to them all.
    """

    def __init__(self, length: int, batch_size: int, rank: int, ranks: int) -> None:
        each = min(-(-length // (batch_size * ranks)), length // ranks)
        indices = np.arange(length)
        if each:
            parts = np.array_split(indices, each * ranks)[rank::ranks]
        else:
            parts = np.split(indices, range(batch_size, length, batch_size))
        self.batches: list[list[int]] = [part.tolist() for part in parts]

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[list[int]]:
        yield from self.batches


class Step(NamedTuple):
    """What one training step is on: pages of the split by their index, or recombined ones by their number."""

    recombined: bool
    numbers: list[int]


class MixedSampler(Sampler[Step]):
    """Plans the steps of a round, a pure function of the seed and the round. `many` recombined pages make a batch.

    Processes that train together divide every batch among them as those of RoundSampler do.
    """

    def __init__(
        self,
        pages: int,
        batch_size: int,
        many: int,
        round_steps: int,
        seed: int,
        rounds: int,
        share: tuple[float, float],
        rank: int = 0,
        ranks: int = 1,
        buckets: Buckets | None = None,
    ) -> None:
        self.batch_size, self.many, self.round_steps = batch_size, many, round_steps
        self.seed, self.rounds, self.share, self.epoch = seed, rounds, share, 0
        self.rank, self.ranks = rank, ranks
        self.originals = RoundSampler(pages, round_steps * batch_size * ranks, seed, rank, ranks, buckets)

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch
        self.originals.set_epoch(epoch)

    def __len__(self) -> int:
        return self.round_steps

    def __iter__(self) -> Iterator[Step]:
        done = self.epoch / max(1, self.rounds - 1)
        share = self.share[0] + (self.share[1] - self.share[0]) * done
        draw = np.random.default_rng((self.seed, self.epoch))
        pages, many = iter(self.originals), self.many * self.ranks
        for step in range(self.epoch * self.round_steps, (self.epoch + 1) * self.round_steps):
            if draw.random() < share:
                yield Step(True, list(range(step * many + self.rank, (step + 1) * many, self.ranks)))
            else:
                yield Step(False, [next(pages) for _ in range(self.batch_size)])
