"""Measure a model's time per page and its memory, in a process of its own on one CPU thread.

Both differ from run to run, so no file that DVC compares contains them. They are measured when a model is promoted.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from text_recognizer.core.errors import DataError

PAGES, REPETITIONS = 8, 3
SCRIPT = """
import json, resource, statistics, sys, time
from pathlib import Path
import numpy as np
from text_recognizer.corpora.packed_pages import PackedSplit
from text_recognizer.inference.packed_paragraphs import read_paragraph
from text_recognizer.inference import Recognizer
packed = PackedSplit.open(Path(sys.argv[2]), "test")
pages = list(zip(map(np.asarray, packed.canvases), packed.pages))[: int(sys.argv[3])]
recognizer = Recognizer.load(Path(sys.argv[1]), threads=1)
times = []
for _ in range(int(sys.argv[4])):
    for canvas, page in pages:
        start = time.perf_counter()
        read_paragraph(recognizer, canvas, page)
        times.append(time.perf_counter() - start)
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": statistics.median(times), "memory": round(peak)}))
"""


@dataclass(frozen=True)
class Speed:
    """`seconds` is the median time of a page on one CPU thread; `memory` is the peak of the whole process in MiB."""

    seconds: float
    memory: int


def measure_speed(model: Path, processed: Path) -> Speed:
    """Read some pages of the packed test split several times. Raises DataError if that fails."""
    command = [sys.executable, "-c", SCRIPT, str(model), str(processed), str(PAGES), str(REPETITIONS)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        return Speed(**json.loads(done.stdout.splitlines()[-1]))
    except (ValueError, IndexError, TypeError):
        message = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}, no message"])[-1]
        raise DataError(f"the model's speed cannot be measured: {message}", "run `dvc pull data/processed`") from None
