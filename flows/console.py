"""Show the output of a running stage: finished lines go to the log, progress bars are redrawn in the terminal."""

import shutil
import sys
import time
from collections.abc import Callable
from typing import TextIO

BAR_SECONDS = 30.0
CLEAR_LINE = "\r\x1b[K"


class Console:
    """Send finished lines to `log`. Redraw a progress bar in `terminal`; without one, log it every `every` seconds."""

    def __init__(self, log: Callable[[str], None], terminal: TextIO | None = None, every: float = BAR_SECONDS) -> None:
        self._log = log
        self._terminal = terminal
        self._every = every
        self._last_logged = time.monotonic()

    def show(self, text: str, finished: bool) -> None:
        """Show a line; one that is not finished is a progress bar."""
        if finished:
            self.clear()
            self._log(text)
        elif self._terminal:
            columns = shutil.get_terminal_size().columns
            self._terminal.write(CLEAR_LINE + text[: columns - 1])
            self._terminal.flush()
        elif time.monotonic() - self._last_logged >= self._every:
            self._last_logged = time.monotonic()
            self._log(text)

    def clear(self) -> None:
        """Remove the progress bar from the last line of the terminal."""
        if self._terminal:
            self._terminal.write(CLEAR_LINE)
            self._terminal.flush()


def terminal() -> TextIO | None:
    """Return standard error if it is a terminal."""
    return sys.stderr if sys.stderr.isatty() else None
