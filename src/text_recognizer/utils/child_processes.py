"""Processes that end with the one that started them, even if that is killed."""

import ctypes
import os
import signal
import sys
from collections.abc import Callable

PR_SET_PDEATHSIG = 1  # prctl(2)


def interrupted_with_parent() -> Callable[[], None] | None:
    """Return a `preexec_fn` that sends SIGINT to the child when this process ends, whatever ends it.

    None where the system cannot do that: anywhere but on Linux.
    """
    if sys.platform != "linux":
        return None
    parent, prctl = os.getpid(), ctypes.CDLL(None, use_errno=True).prctl

    def follow() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGINT)
        if os.getppid() != parent:  # it ended before the child could ask
            os._exit(1)

    return follow
