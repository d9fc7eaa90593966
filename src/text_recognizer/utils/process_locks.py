"""Let one process at a time do a thing, and recognise a holder that was killed."""

import datetime
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pydantic import ValidationError

from text_recognizer.core.errors import TEMPORARY, TextRecognizerError
from text_recognizer.core.schemas import Record


class Holder(Record):
    """The process that holds a lock: its number, since when (ISO 8601, UTC), and what it says about itself."""

    pid: int
    since: str
    note: str = ""


class BusyError(TextRecognizerError):
    """Another process does this already. It may have ended at the next try."""

    code = "busy"
    exit_status = TEMPORARY


@contextmanager
def hold(lock: Path, what: str, note: str = "", *, wait: bool = False) -> Iterator[Holder | None]:
    """Hold the file `lock` during the block. Yield the last holder if it was killed, else None.

    The system frees the lock when its process and the forks of that have ended, whatever ends them. A holder that ends
    by itself removes its entry, so an entry in a free lock is that of a process that was killed. `what` names what is
    locked, in messages; `note` is kept in the entry. Raises BusyError if another process holds the lock, unless `wait`
    is set.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a+", encoding="utf-8") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise _busy(_entry(held), what) from None
        killed = _entry(held)
        now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        _write(held, Holder(pid=os.getpid(), since=now, note=note).model_dump_json())
        try:
            yield killed
        finally:
            _write(held, "")


def holder(lock: Path) -> tuple[Holder | None, bool]:
    """Return the entry of a lock, if it has one, and whether a process holds the lock."""
    try:
        with lock.open("r", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return _entry(file), True
            return _entry(file), False
    except FileNotFoundError:
        return None, False


def _entry(file: IO[str]) -> Holder | None:
    file.seek(0)
    try:
        return Holder.model_validate_json(file.read())
    except ValidationError:
        return None


def _write(file: IO[str], text: str) -> None:
    file.seek(0)
    file.truncate()
    file.write(text)
    file.flush()


def _busy(entry: Holder | None, what: str) -> BusyError:
    who = f"process {entry.pid}, since {entry.since}" if entry else "another process"
    end = f"kill {entry.pid}" if entry else "end it"
    return BusyError(f"{what} is already running here: {who}", f"wait until it has ended, or end it: {end}")
