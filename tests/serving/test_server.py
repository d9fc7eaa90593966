"""A bento is served in the foreground until Ctrl-C; a problem is one error before the server starts."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

from text_recognizer.core.errors import ConfigError, ModelError
from text_recognizer.release.verdict_file import NotReleasedError
from text_recognizer.serving.correction_store import FEEDBACK_VARIABLE
from text_recognizer.serving.server import AddressError, serve


def test_a_missing_bento_is_named_with_how_to_get_one(tmp_path):
    with pytest.raises(ModelError) as caught:
        serve(tmp_path / "bento", "127.0.0.1", 0)
    assert str(tmp_path / "bento") in caught.value.what
    assert caught.value.fix


def test_a_bento_whose_model_did_not_pass_is_not_served(bento, judged, tmp_path):
    changed = shutil.copytree(bento[1], tmp_path / "bento")
    (changed / "src" / "reports" / "verdict.json").write_text(json.dumps(judged | {"passed": False}))
    with pytest.raises(NotReleasedError):
        serve(changed, "127.0.0.1", 0)


def test_a_port_that_is_in_use_is_named(bento):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(AddressError) as caught:
            serve(bento[1], "127.0.0.1", port)
    assert str(port) in caught.value.what


@pytest.mark.slow
def test_a_port_is_tried_before_a_bento_is_built(tmp_path):
    """In a folder without a bento, the one of the pretrained reader would be built first."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        command = [sys.executable, "-m", "text_recognizer", "serve", "--port", str(other.getsockname()[1])]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert str(command[-1]) in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("host", "port"), [("no such host", 3000), ("127.0.0.1", 70_000), ("203.0.113.1", 3000)])
def test_an_unusable_address_is_named(bento, host, port):
    with pytest.raises(AddressError) as caught:
        serve(bento[1], host, port)
    assert f"{host}:{port}" in caught.value.what


def test_a_missing_feedback_folder_is_named(bento, tmp_path, monkeypatch):
    monkeypatch.setenv(FEEDBACK_VARIABLE, str(tmp_path / "nowhere"))
    with pytest.raises(ConfigError) as caught:
        serve(bento[1], "127.0.0.1", 0)
    assert "nowhere" in caught.value.what


# A shell starts background jobs with SIGINT ignored, and pytest may be one: restore the handler.
SERVE = """
import functools, signal, sys
from pathlib import Path
from text_recognizer.serving.server import serve
signal.signal(signal.SIGINT, signal.default_int_handler)
serve(Path(sys.argv[1]), "localhost", 0, functools.partial(print, flush=True))
"""


@pytest.mark.slow
def test_the_url_is_printed_and_ctrl_c_ends_the_server_cleanly(bento):
    files = sorted(bento[1].rglob("*"))
    command = [sys.executable, "-c", SERVE, str(bento[1])]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        ready = next(line for line in process.stdout if line.startswith("ready: open "))
        url = ready.split()[2]
        with urllib.request.urlopen(url, timeout=30) as answer:
            assert b"Text recogniser" in answer.read()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(url, timeout=5)
    assert sorted(bento[1].rglob("*")) == files, "serving left files in the bento"
