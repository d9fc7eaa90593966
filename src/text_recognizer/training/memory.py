"""Memory of training steps on the CPU, kept from one step for the next."""

import ctypes

import torch

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # as in glibc's malloc.h
NEVER = 2**31 - 1


def keep_memory() -> None:
    """Tells glibc to keep what is freed, and torch not to fill what it is about to write.

    A step allocates the same large tensors as the one before. Given back in between, each of their pages is mapped
    and zeroed anew, which is a third of a step on full pages. Torch fills new tensors where determinism is asked for,
    against operations that read what was never written; none here does, and equal runs stay equal to the bit.

    The process keeps its largest size until it ends. Without glibc this does nothing about the first.
    """
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt:
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, NEVER)
