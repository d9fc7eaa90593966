import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request

import pytest

from text_recognizer.errors import ConfigError, ModelError, TextRecognizerError
from text_recognizer.serving.serve import serve


def test_a_missing_bento_is_named_with_how_to_get_one(tmp_path):
    with pytest.raises(ModelError, match=r"holds no bento\n  fix: run the pipeline"):
        serve(tmp_path / "bento", "127.0.0.1", 0)


def test_a_bento_whose_model_did_not_pass_is_not_served(bento, judged, tmp_path):
    changed = shutil.copytree(bento[1], tmp_path / "bento")
    (changed / "src" / "reports" / "verdict.json").write_text(json.dumps(judged | {"passed": False}))
    with pytest.raises(TextRecognizerError, match="rejects the model"):
        serve(changed, "127.0.0.1", 0)


def test_a_taken_port_is_named(bento):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(TextRecognizerError, match=f"port {port} on 127.0.0.1 is taken"):
            serve(bento[1], "127.0.0.1", port)


@pytest.mark.parametrize(("host", "port"), [("no such host", 3000), ("127.0.0.1", 70_000), ("203.0.113.1", 3000)])
def test_an_address_that_cannot_be_had_is_named(bento, host, port):
    with pytest.raises(TextRecognizerError, match=f"cannot listen on {host}:{port}"):
        serve(bento[1], host, port)


def test_a_folder_for_corrections_that_is_not_there_is_named(bento, tmp_path, monkeypatch):
    monkeypatch.setenv("TEXT_RECOGNIZER_FEEDBACK", str(tmp_path / "nowhere"))
    with pytest.raises(ConfigError, match="nowhere"):
        serve(bento[1], "127.0.0.1", 0)


@pytest.mark.slow
def test_it_says_where_the_page_is_and_ends_cleanly_on_ctrl_c(bento):
    files = sorted(bento[1].rglob("*"))
    code = "import sys; from pathlib import Path; from text_recognizer.serving.serve import serve;"
    code += "serve(Path(sys.argv[1]), 'localhost', 0)"
    command = [sys.executable, "-c", code, str(bento[1])]
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
