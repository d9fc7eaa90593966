"""Start the bento of a model on a port of its own, to look at it before it is in service."""

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.child_process import read_chunks, running, split_lines
from text_recognizer.release.canary import CanaryError

START_SECONDS = 180.0
READY = "ready: open "


@contextmanager
def canary_service(bento: Path, project: Path) -> Iterator[str]:
    """Serve a bento on this machine during the block, without corrections, and yield its address.

    Raises CanaryError if it does not start.
    """
    command = [sys.executable, "-m", "text_recognizer", "serve", "--bento", str(bento), "--port", "0"]
    environment = {**os.environ, "TEXT_RECOGNIZER_FEEDBACK": "", "PYTHONUNBUFFERED": "1"}
    with running(command, project, environment) as child:
        # A thread of its own keeps reading while the service runs, so that it never waits for a full pipe.
        lines = _Lines()
        threading.Thread(target=lines.read, args=(split_lines(read_chunks(child)),), daemon=True).start()
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and child.poll() is None:
            if address := lines.address():
                yield address
                return
            time.sleep(0.1)
    last = "\n".join(lines.texts[-5:]) or "it printed nothing"
    raise CanaryError(f"the bento {bento} does not start:\n{last}", "serve it by hand: `text-recognizer serve --bento`")


class _Lines:
    """The finished lines of a process, as they come."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def read(self, lines: Iterator[tuple[str, bool]]) -> None:
        """Collect lines until there are no more."""
        for text, finished in lines:
            if finished:
                self.texts.append(text)

    def address(self) -> str | None:
        """Return the address that the service said it is ready at, once it has."""
        found = [text for text in self.texts if text.startswith(READY)]
        return found[0].removeprefix(READY).split()[0].rstrip("/") if found else None
