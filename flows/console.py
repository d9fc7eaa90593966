"""Shows the output of a running stage: finished lines in the log, a bar that redraws itself where it does no harm."""

import shutil
import sys
import time
from collections.abc import Callable
from typing import TextIO

BAR_SECONDS = 30.0
CLEAR_LINE = "\r\x1b[K"


class Console:
    """`say` receives every finished line. A bar is redrawn in place on a terminal; without one it is said now and then.

    `every` is in seconds: how often a bar may become a line of the log.
    """

    def __init__(self, say: Callable[[str], None], terminal: TextIO | None = None, every: float = BAR_SECONDS) -> None:
        self._say = say
        self._terminal = terminal
        self._every = every
        self._said = time.monotonic()

    def show(self, text: str, finished: bool) -> None:
        if finished:
            self.clear()
            self._say(text)
        elif self._terminal:
            columns = shutil.get_terminal_size().columns
            self._terminal.write(CLEAR_LINE + text[: columns - 1])
            self._terminal.flush()
        elif time.monotonic() - self._said >= self._every:
            self._said = time.monotonic()
            self._say(text)

    def clear(self) -> None:
        """Takes the bar off the terminal's last line."""
        if self._terminal:
            self._terminal.write(CLEAR_LINE)
            self._terminal.flush()


def terminal() -> TextIO | None:
    """Where a person watches: standard error, where it is a terminal."""
    return sys.stderr if sys.stderr.isatty() else None
