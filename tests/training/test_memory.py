"""Training keeps its memory between steps. In processes of their own: what malloc was told stays told."""

import ctypes
import subprocess
import sys

import pytest

FAULTS = """
import resource, torch
from text_recognizer.training.memory import keep_memory
if {kept}:
    keep_memory()
def step():
    a = torch.ones(16, 1024, 1024)
    b = a + 1
    return b.sum()
for _ in range(5):
    step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(5):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(kept: bool) -> int:
    """Pages that the kernel had to map in five equal steps on tensors of 64 MiB."""
    done = subprocess.run(
        [sys.executable, "-c", FAULTS.format(kept=kept)], capture_output=True, check=True, timeout=120
    )
    return int(done.stdout)


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="the C library is not glibc")
def test_a_step_maps_no_memory_that_the_one_before_it_had():
    # The heap may still grow once more, to fit a tensor between others.
    assert 4 * faults(kept=True) < faults(kept=False)
