"""The list of measurements, and how one is taken.

A new measurement is one function that yields Measurements, and a line in MEASUREMENTS.
"""

import importlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from text_recognizer.core.errors import ConfigError

Result = TypeVar("Result")

MEASUREMENTS = {
    "decode": "text_recognizer.benchmarks.bench_decode:decode",
    "read": "text_recognizer.benchmarks.bench_read:read",
    "train": "text_recognizer.benchmarks.bench_train:train",
}


@dataclass(frozen=True)
class Measurement:
    """A wall time in seconds, and that of a `reference` which did the same work in the same run."""

    what: str
    against: str
    seconds: float
    reference: float

    @property
    def ratio(self) -> float:
        """How many times as fast as the reference."""
        return self.reference / self.seconds

    def __str__(self) -> str:
        return (
            f"{self.what}: {self.seconds:.3g} s; {self.against}: {self.reference:.3g} s; {self.ratio:.1f} times as fast"
        )


def timed(work: Callable[[], Result], repeats: int = 1) -> tuple[float, Result]:
    """Return the shortest wall time in seconds of `repeats` calls, and what the last call returned.

    Everything else that runs on the machine only makes a call longer, so the shortest time is the truest.
    """
    shortest = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        result = work()
        shortest = min(shortest, time.perf_counter() - start)
    return shortest, result


def run(names: Sequence[str] = ()) -> list[Measurement]:
    """Take the named measurements, or all. Raises ConfigError for an unknown name."""
    if unknown := [name for name in names if name not in MEASUREMENTS]:
        raise ConfigError(f"no measurement is called {unknown[0]!r}", f"choose from: {', '.join(MEASUREMENTS)}")
    taken: list[Measurement] = []
    for name in names or MEASUREMENTS:
        module, function = MEASUREMENTS[name].split(":")
        for measurement in getattr(importlib.import_module(module), function)():
            print(f"{name}: {measurement}", flush=True)
            taken.append(measurement)
    return taken
