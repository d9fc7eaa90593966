"""Keep the memory of a training step on the CPU for the next step."""

import ctypes

import torch

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # as in glibc's malloc.h
NEVER = 2**31 - 1


def keep_memory() -> None:
    """Tell glibc to keep freed memory, and torch not to fill tensors that are about to be written.

    A step allocates the same large tensors as the one before. If their memory is given back in between, each page is
    mapped and zeroed again, which takes a third of a step on full pages. Torch fills new tensors in deterministic
    mode to guard against operations that read uninitialised memory. No operation here does that, and equal runs stay
    equal bit for bit.

    The process keeps its largest size until it ends. Without glibc only the second part has an effect.
    """
    torch.utils.deterministic.fill_uninitialized_memory = False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, NEVER)
