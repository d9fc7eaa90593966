import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flows.process import chunks, running, updates

ROOT = Path(__file__).parents[2]
PATIENCE = 30.0


def gone(pid: int) -> bool:
    """Whether the process has ended; one that only waits to be collected has."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def wait_until(holds, patience=PATIENCE):
    end = time.monotonic() + patience
    while not holds() and time.monotonic() < end:
        time.sleep(0.05)
    return holds()


def finished(*pieces: bytes) -> list[str]:
    return [text for text, done in updates(pieces) if done]


def test_lines_that_arrive_in_pieces_are_put_together():
    assert finished(b"one\ntw", b"o\nthr", b"ee") == ["one", "two", "three"]


def test_of_a_bar_that_redraws_itself_only_the_last_state_is_a_finished_line():
    assert finished(b"\r 0%", b"\r 50%", b"\r100%\n", b"next\n") == ["100%", "next"]


def test_a_bar_that_is_not_finished_is_shown_as_it_stands():
    assert list(updates([b"\r 10%", b"\r 20%\r 30%"])) == [(" 10%", False), (" 30%", False), (" 30%", True)]


def test_a_message_that_takes_the_place_of_a_bar_is_kept():
    assert finished(b"\r 10%|#   |\r            \rhalf way\n\r 20%") == ["half way", " 20%"]


def test_a_character_cut_in_two_by_the_pipe_is_whole_again():
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
def test_a_bar_is_never_a_finished_line_however_often_it_is_ended(bar):
    assert list(updates([f"{bar}\n".encode()])) == [(bar, False)]


def test_colours_and_blank_lines_are_dropped():
    assert finished(b"\x1b[1;32mgreen\x1b[0m\n\n   \n") == ["green"]


def test_a_process_that_a_child_leaves_behind_does_not_hold_up_the_reader_and_is_ended(tmp_path):
    with running(["sh", "-c", "sleep 600 & echo $!"], tmp_path, os.environ) as child:
        said = b"".join(chunks(child))
    assert wait_until(lambda: gone(int(said)))


def test_a_child_that_ignores_ctrl_c_is_killed_with_its_family(tmp_path, monkeypatch):
    monkeypatch.setattr("flows.process.STOP_SECONDS", 0.5)
    command = ["sh", "-c", "trap '' INT; sleep 600 & echo $!; wait"]
    with running(command, tmp_path, os.environ) as child:
        family = [child.pid, int(next(chunks(child)))]
    assert wait_until(lambda: all(gone(pid) for pid in family))


def test_a_child_that_writes_without_end_can_still_stop_cleanly(tmp_path):
    code = (
        "import pathlib, signal, sys\n"
        "def stop(*_):\n"
        "    sys.stdout.write('x' * 1_000_000); sys.stdout.flush(); pathlib.Path('clean').touch(); sys.exit()\n"
        "signal.signal(signal.SIGINT, stop); print('up', flush=True); signal.pause()\n"
    )
    with running([sys.executable, "-c", code], tmp_path, os.environ) as child:
        next(chunks(child))
    assert (tmp_path / "clean").exists()


SHIELDED = """
import pathlib, subprocess, sys, time
from flows.process import apart

def run():
    server = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    try:
        pathlib.Path("pids").write_text(str(server.pid))
        pathlib.Path("up").touch()
        time.sleep(600)
    except KeyboardInterrupt:
        pathlib.Path("server").write_text("up" if server.poll() is None else "down")
        return 130

sys.exit(apart(run))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ctrl_c_in_a_terminal_spares_the_server_until_the_flow_has_ended(tmp_path, number):
    # Given a flow that runs apart, with a server that it started
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    flow = subprocess.Popen([sys.executable, "-c", SHIELDED], cwd=tmp_path, env=environment, start_new_session=True)
    assert wait_until((tmp_path / "up").exists)
    # When the whole foreground group is told to stop, as a terminal does it
    os.killpg(flow.pid, number)
    # Then the flow ends by itself, had its server to report to, and nothing is left
    assert flow.wait(PATIENCE) == 130
    assert (tmp_path / "server").read_text() == "up"
    assert wait_until(lambda: gone(int((tmp_path / "pids").read_text())))
