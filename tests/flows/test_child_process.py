"""A child process ends with all its descendants, and its output is split into the lines that a terminal would show."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flows.child_process import read_chunks, running, split_lines

ROOT = Path(__file__).parents[2]
TIMEOUT_SECONDS = 30.0


def has_ended(pid: int) -> bool:
    """Return whether a process has ended; a zombie has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def wait_until(condition):
    end = time.monotonic() + TIMEOUT_SECONDS
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


def finished(*chunks: bytes) -> list[str]:
    return [text for text, done in split_lines(chunks) if done]


def test_a_line_that_arrives_in_pieces_is_one_line():
    assert finished(b"one\ntw", b"o\nthr", b"ee") == ["one", "two", "three"]


def test_only_the_last_state_of_a_redrawn_line_is_a_finished_line():
    assert finished(b"\r 0%", b"\r 50%", b"\r100%\n", b"next\n") == ["100%", "next"]


def test_a_line_that_is_still_redrawn_is_shown_unfinished():
    assert list(split_lines([b"\r 10%", b"\r 20%\r 30%"])) == [(" 10%", False), (" 30%", False), (" 30%", True)]


def test_a_message_that_replaces_a_progress_bar_is_kept():
    assert finished(b"\r 10%|#   |\r            \rhalf way\n\r 20%") == ["half way", " 20%"]


def test_a_character_that_the_pipe_splits_is_decoded():
    first, second = "café\n".encode()[:4], "café\n".encode()[4:]
    assert finished(first, second) == ["café"]


@pytest.mark.parametrize(
    "bar",
    [
        "draw: 100%|####| 48/48 [00:00<00:00, 53.16form/s]",
        "fetch:  12%|#   | 9.1M/76.5M [00:02<00:17, 4.0MB/s]",
        "Validation: |          | 0/? [00:00<?, ?it/s]",
    ],
)
def test_a_progress_bar_is_never_a_finished_line(bar):
    assert list(split_lines([f"{bar}\n".encode()])) == [(bar, False)]


def test_colours_and_blank_lines_are_dropped():
    assert finished(b"\x1b[1;32mgreen\x1b[0m\n\n   \n") == ["green"]


def test_a_process_that_a_child_leaves_behind_does_not_block_the_reader_and_is_killed(tmp_path):
    with running(["sh", "-c", "sleep 600 & echo $!"], tmp_path, os.environ) as child:
        output = b"".join(read_chunks(child))
    assert wait_until(lambda: has_ended(int(output)))


def test_a_child_that_ignores_ctrl_c_is_killed_with_its_descendants(tmp_path, monkeypatch):
    monkeypatch.setattr("flows.child_process.STOP_SECONDS", 0.5)
    command = ["sh", "-c", "trap '' INT; sleep 600 & echo $!; wait"]
    with running(command, tmp_path, os.environ) as child:
        pids = [child.pid, int(next(read_chunks(child)))]
    assert wait_until(lambda: all(has_ended(pid) for pid in pids))


def test_a_child_with_a_full_pipe_can_still_stop_cleanly(tmp_path):
    code = (
        "import pathlib, signal, sys\n"
        "def stop(*_):\n"
        "    sys.stdout.write('x' * 1_000_000); sys.stdout.flush(); pathlib.Path('clean').touch(); sys.exit()\n"
        "signal.signal(signal.SIGINT, stop); print('up', flush=True); signal.pause()\n"
    )
    with running([sys.executable, "-c", code], tmp_path, os.environ) as child:
        next(read_chunks(child))
    assert (tmp_path / "clean").exists()


FLOW_IN_OWN_SESSION = """
import pathlib, subprocess, sys, time
from flows.child_process import in_own_session

def run():
    server = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        pathlib.Path("pids").write_text(str(server.pid))
        pathlib.Path("up").touch()
        time.sleep(600)
    except KeyboardInterrupt:
        pathlib.Path("server").write_text("up" if server.poll() is None else "down")
        return 130

sys.exit(in_own_session(run))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_in_a_terminal_reaches_the_flow_and_not_the_server_that_it_started(tmp_path, number):
    # Given a flow in its own session, with a server that it started
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    flow = subprocess.Popen(
        [sys.executable, "-c", FLOW_IN_OWN_SESSION], cwd=tmp_path, env=environment, start_new_session=True
    )
    assert wait_until((tmp_path / "up").exists)
    # When the whole foreground group gets the signal, as from a terminal
    os.killpg(flow.pid, number)
    # Then the flow ends by itself while the server still runs, and nothing is left
    assert flow.wait(TIMEOUT_SECONDS) == 130
    assert (tmp_path / "server").read_text() == "up"
    assert wait_until(lambda: has_ended(int((tmp_path / "pids").read_text())))
