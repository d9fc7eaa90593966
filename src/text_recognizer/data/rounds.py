"""Which pages a training step is on: plans that are a function of the seed and the round, so that a run can resume."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from torch.utils.data import Sampler


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
