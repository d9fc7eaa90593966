"""Run a child process that ends together with all its descendants, and split its output into lines."""

import codecs
import contextlib
import os
import re
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

# On SIGINT a training finishes its step and writes a checkpoint; Lightning needs about three seconds for it.
STOP_SECONDS = 30.0
POLL_SECONDS = 0.2
CHUNK_BYTES = 1 << 16
# The end of a tqdm progress bar: `| 3/48 [`, `| 1.5M/76M [`, `| 0/? [`.
PROGRESS_BAR = re.compile(r"\| *[\d.]+[kMGT]?/(?:[\d.]+[kMGT]?|\?) \[")
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@contextlib.contextmanager
def running(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Start a child in a session of its own; its errors go to its output. The whole session ends with the block.

    Ctrl-C in a terminal does not reach that session, so the child gets exactly one SIGINT, from `_stop`. A second one
    would make it stop without cleaning up.
    """
    child = subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        bufsize=0,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield child
    finally:
        _stop(child)


def _stop(child: subprocess.Popen[bytes]) -> None:
    """Send SIGINT to the child's group, wait at most STOP_SECONDS, then kill what is left of the group."""
    try:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                # Keep reading: a child whose pipe is full cannot stop. The pipe closes when all its writers have ended.
                child.communicate(timeout=STOP_SECONDS)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        if child.stdout:
            child.stdout.close()


def in_own_session(run: Callable[[], int]) -> int:
    """Call `run` in a fork with a session of its own and return its exit status.

    Ctrl-C, SIGTERM and a closed terminal become one SIGINT to the fork, not to the processes that it started: Prefect's
    temporary server must outlive the flow that reports to it. The rest of the session is killed when the fork has
    ended.
    """
    fork = os.fork()
    if not fork:
        os.setsid()
        # A shell starts background jobs with SIGINT ignored, and a fork inherits that.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.exit(run())
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: os.kill(fork, signal.SIGINT))
    _, status = os.waitpid(fork, 0)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(fork, signal.SIGKILL)
    return os.waitstatus_to_exitcode(status)


def read_chunks(child: subprocess.Popen[bytes]) -> Iterator[bytes]:
    """Yield the output as it comes, until the output or the child ends.

    A process that the child leaves behind may keep the output open, so the end of the child is enough.
    """
    if child.stdout is None:
        raise ValueError("the child's output is not a pipe")
    output = child.stdout.fileno()
    while True:
        ended = child.poll() is not None
        if select.select([output], [], [], 0 if ended else POLL_SECONDS)[0]:
            if not (chunk := os.read(output, CHUNK_BYTES)):
                return
            yield chunk
        elif ended:
            return


def split_lines(chunks: Iterable[bytes]) -> Iterator[tuple[str, bool]]:
    """Yield the lines that a terminal would show, as `(line, finished)`.

    `finished` is False for a progress bar and for a line that is still being redrawn. If a line was redrawn by carriage
    returns, only its last state counts. Colours and blank lines are dropped.
    """
    decode = codecs.getincrementaldecoder("utf-8")("replace").decode
    rest = ""
    for chunk in chunks:
        *lines, rest = (rest + decode(chunk)).split("\n")
        yield from ((text, not PROGRESS_BAR.search(text)) for line in lines if (text := _last_state(line)))
        if "\r" in rest and (text := _last_state(rest)):
            yield text, False
    if text := _last_state(rest):
        yield text, True


def _last_state(line: str) -> str:
    states = [state.rstrip() for state in ESCAPES.sub("", line).split("\r")]
    return next((state for state in reversed(states) if state), "")
