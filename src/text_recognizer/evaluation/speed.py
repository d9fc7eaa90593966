"""How long a model takes for a page, and how much memory, in a process of its own on one thread.

A clock gives another figure each time, so these stand in no file that DVC compares: they are taken when a model is
promoted.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from text_recognizer.errors import DataError

PAGES, ROUNDS = 8, 3
SCRIPT = """
import json, resource, statistics, sys, time
from pathlib import Path
import numpy as np
from text_recognizer.data.packed import PackedSplit
from text_recognizer.inference import Recognizer
packed = PackedSplit.open(Path(sys.argv[2]), "test")
canvases = [np.asarray(packed.canvases[index]) for index in range(min(int(sys.argv[3]), len(packed)))]
recognizer = Recognizer.load(Path(sys.argv[1]), threads=1)
times = []
for _ in range(int(sys.argv[4])):
    for canvas in canvases:
        start = time.perf_counter()
        recognizer.read_canvases(canvas[None])
        times.append(time.perf_counter() - start)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": statistics.median(times), "memory": round(peak)}))
"""


@dataclass(frozen=True)
class Speed:
    """`seconds` a page, the median on one CPU thread; `memory` is the process's peak in MiB, Python and all."""

    seconds: float
    memory: int


def measure(model: Path, processed: Path) -> Speed:
    """Reads some pages of the packed test split again and again. Raises DataError where that cannot be done."""
    command = [sys.executable, "-c", SCRIPT, str(model), str(processed), str(PAGES), str(ROUNDS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        return Speed(**json.loads(done.stdout.splitlines()[-1]))
    except (ValueError, IndexError, TypeError):
        words = done.stderr.strip().splitlines()[-1:] or ["it said nothing"]
        raise DataError(f"the model's speed cannot be measured: {words[0]}", "run `dvc pull data/processed`") from None
