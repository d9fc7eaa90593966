"""Training keeps its memory between steps. Tested in a process of its own, because malloc keeps its settings."""

import ctypes
import subprocess
import sys

import pytest

# Counts the pages that the kernel maps in five equal steps on tensors of 16 MiB, before and after `keep_memory`.
PROGRAM = """
import resource, torch
from text_recognizer.training.memory import keep_memory

def step():
    a = torch.ones(4, 1024, 1024)
    b = a + 1
    return b.sum()

def page_faults():
    for _ in range(5):
        step()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(5):
        step()
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

usual = page_faults()
keep_memory()
print(usual, page_faults())
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="the C library is not glibc")
def test_a_step_maps_no_memory_that_the_step_before_it_had():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=True, timeout=120)
    usual, kept = map(int, done.stdout.split())
    # The heap may still grow once more, to fit a tensor between others.
    assert 4 * kept <= usual
