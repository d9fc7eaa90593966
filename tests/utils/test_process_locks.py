"""A lock admits one process, and knows whether its last holder was killed."""

import os
import signal
import subprocess
import sys

import pytest

from text_recognizer.core.errors import TEMPORARY
from text_recognizer.utils.process_locks import BusyError, hold, holder

HOLDS = """
import sys, time
from pathlib import Path
from text_recognizer.utils.process_locks import hold
with hold(Path(sys.argv[1]), "the stage", "a note"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def lock(tmp_path):
    return tmp_path / "locks" / "one.lock"


@pytest.fixture
def other(lock):
    """Another process that holds the lock."""
    process = subprocess.Popen([sys.executable, "-c", HOLDS, str(lock)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_second_process_is_refused_with_the_number_of_the_first_and_may_try_again(lock, other):
    with pytest.raises(BusyError) as caught, hold(lock, "the stage"):
        pass
    assert (caught.value.code, caught.value.exit_status) == ("busy", TEMPORARY)
    assert str(other.pid) in caught.value.what
    entry, held = holder(lock)
    assert (entry.pid, entry.note, held) == (other.pid, "a note", True)


def test_a_holder_that_was_killed_is_recognised_and_its_lock_is_taken_over(lock, other):
    other.send_signal(signal.SIGKILL)
    other.wait()
    assert holder(lock)[1] is False
    with hold(lock, "the stage") as killed:
        assert (killed.pid, killed.note) == (other.pid, "a note")
        assert holder(lock)[0].pid == os.getpid()


def test_a_holder_that_ends_by_itself_leaves_no_entry_even_after_an_error(lock):
    with pytest.raises(ZeroDivisionError), hold(lock, "the stage"):
        raise ZeroDivisionError
    assert holder(lock) == (None, False)
    with hold(lock, "the stage") as killed:
        assert killed is None


def test_a_lock_that_nobody_took_has_no_holder(lock):
    assert holder(lock) == (None, False)
    assert not lock.exists()
