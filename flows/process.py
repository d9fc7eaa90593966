"""A child process whose whole family ends with it, and its output as lines."""

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

# Training ends its step and writes a checkpoint when it is interrupted; Lightning needs about three seconds for it.
STOP_SECONDS = 30.0
POLL_SECONDS = 0.2
CHUNK_BYTES = 1 << 16
# The end of a tqdm bar: `| 3/48 [`, `| 1.5M/76M [`, `| 0/? [`.
BAR = re.compile(r"\| *[\d.]+[kMGT]?/(?:[\d.]+[kMGT]?|\?) \[")
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@contextlib.contextmanager
def running(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """A child in a process group of its own, its errors in its output. When the block ends, so has the group.

    Ctrl-C in a terminal does not reach that group by itself: a child that is told by the terminal and by us would take
    the second one for impatience and stop without cleaning up.
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
        _end(child)


def _end(child: subprocess.Popen[bytes]) -> None:
    """Asks the group to stop, and kills what is left of it when the time is up or the wait is cut short."""
    try:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                # Reads on: who cannot write cannot stop. The end of the output says that all who hold it have ended.
                child.communicate(timeout=STOP_SECONDS)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        if child.stdout:
            child.stdout.close()


def apart(run: Callable[[], int]) -> int:
    """Calls `run` in a fork with a session of its own, and returns its exit status.

    Ctrl-C, SIGTERM and a closed terminal become one SIGINT to the fork alone, not to what it started: Prefect's
    temporary server must outlive the flow that reports to it. What is left of the session after the fork is killed.
    """
    fork = os.fork()
    if not fork:
        os.setsid()
        sys.exit(run())
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: os.kill(fork, signal.SIGINT))
    _, status = os.waitpid(fork, 0)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(fork, signal.SIGKILL)
    return os.waitstatus_to_exitcode(status)


def chunks(child: subprocess.Popen[bytes]) -> Iterator[bytes]:
    """The output as it comes, until its end or the child's: what it left running may hold the output for ever."""
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


def updates(pieces: Iterable[bytes]) -> Iterator[tuple[str, bool]]:
    """What a terminal would show, as `(line, finished)`: False for a bar, and for a line that still redraws itself.

    Of a line that was redrawn, by carriage returns, only the last state counts. Colours are dropped, and blank lines.
    """
    decode = codecs.getincrementaldecoder("utf-8")("replace").decode
    rest = ""
    for piece in pieces:
        *lines, rest = (rest + decode(piece)).split("\n")
        yield from ((text, not BAR.search(text)) for line in lines if (text := _last_state(line)))
        if "\r" in rest and (text := _last_state(rest)):
            yield text, False
    if text := _last_state(rest):
        yield text, True


def _last_state(line: str) -> str:
    states = [state.rstrip() for state in ESCAPES.sub("", line).split("\r")]
    return next((state for state in reversed(states) if state), "")
