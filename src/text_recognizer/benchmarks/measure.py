"""The list of measurements, and how one is taken.

A new measurement is one function that returns Measurements, and a line in MEASUREMENTS.
"""

import importlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from text_recognizer.errors import ConfigError

MEASUREMENTS = {
    "decode": "text_recognizer.benchmarks.decode:decode",
    "read": "text_recognizer.benchmarks.read:read",
    "train": "text_recognizer.benchmarks.train:train",
}


@dataclass(frozen=True)
class Measurement:
    """`seconds` that something took, and the `reference` (s) that it is held against, on the same work in one run."""

    what: str
    against: str
    seconds: float
    reference: float

    @property
    def ratio(self) -> float:
        """How many times faster than the reference."""
        return self.reference / self.seconds

    def __str__(self) -> str:
        return (
            f"{self.what}: {self.seconds:.3g} s; {self.against}: {self.reference:.3g} s; {self.ratio:.1f} times faster"
        )


def timed(work: Callable[[], Any], repeats: int = 1) -> tuple[float, Any]:
    """The shortest wall time (s) of `repeats` calls, and what the last one returned. Others only make it longer."""
    shortest, result = float("inf"), None
    for _ in range(repeats):
        start = time.perf_counter()
        result = work()
        shortest = min(shortest, time.perf_counter() - start)
    return shortest, result


def run(names: Sequence[str] = ()) -> list[Measurement]:
    """Takes the named measurements, or all. Raises ConfigError for a name that is none."""
    if unknown := [name for name in names if name not in MEASUREMENTS]:
        raise ConfigError(f"no measurement is called {unknown[0]!r}", f"choose from: {', '.join(MEASUREMENTS)}")
    taken: list[Measurement] = []
    for name in names or MEASUREMENTS:
        module, function = MEASUREMENTS[name].split(":")
        for measurement in getattr(importlib.import_module(module), function)():
            print(f"{name}: {measurement}", flush=True)
            taken.append(measurement)
    return taken
