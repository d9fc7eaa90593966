"""`text-recognizer serve` in a project with a model in service."""

import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from functools import partial
from pathlib import Path

import psutil
import pytest
from tests.serving.conftest import worker_of

from text_recognizer.core.layout import LAYOUT
from text_recognizer.inference import Recognizer

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 240.0  # seconds, also on a machine that does much else


@pytest.fixture
def project(model, judged, bento, tmp_path):
    """A folder with the bento of the last run, and a model in service with another temperature."""
    for name in ("bentofile.yaml", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(bento[1], tmp_path / LAYOUT.bento)
    champion = shutil.copytree(model, tmp_path / LAYOUT.champion)
    info = json.loads((champion / "reader.json").read_text(encoding="utf-8"))
    (champion / "reader.json").write_text(json.dumps(info | {"temperature": 7.5}), encoding="utf-8")
    verdict = judged | {"model": Recognizer.load(champion).digest, "cer": 0.11}
    (champion / "verdict.json").write_text(json.dumps(verdict), encoding="utf-8")
    return tmp_path


def ask(url):
    """Return the JSON at an address, as soon as it answers."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                return json.load(answer)
        except (OSError, http.client.HTTPException):
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_the_model_in_service_is_served_and_not_the_model_of_the_last_run(project, judged):
    # Given that the two differ
    champion = Recognizer.load(project / LAYOUT.champion).digest
    assert champion != judged["model"]
    # When the project is served
    command = [sys.executable, "-m", "text_recognizer", "serve", "--port", "0"]
    server = subprocess.Popen(
        command,
        cwd=project,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # `nohup` would let the end of a terminal be ignored, by the tests' own children too.
        preexec_fn=partial(signal.signal, signal.SIGHUP, signal.SIG_DFL),
    )
    try:
        lines = []
        for line in server.stdout:
            lines.append(line)
            if line.startswith("ready: open "):
                break
        served = ask(f"{lines[-1].split()[2]}model")
        # When another server replaces the bento, and the process that answers dies
        (project / LAYOUT.champion_bento).rename(project / "another")
        (project / LAYOUT.champion).rename(project / "models" / "away")
        worker_of(server.pid).kill()
        again = ask(f"{lines[-1].split()[2]}model")
        family = psutil.Process(server.pid).children(recursive=True)
        # When its terminal is closed
        server.send_signal(signal.SIGHUP)
        assert server.wait(timeout=60) == 0
    finally:
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGKILL)
        server.communicate(timeout=PATIENCE)
    # Then no process of the server is left
    assert len(family) >= 2
    assert not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in family)
    # Then the champion has answered, from a bento of its own
    assert lines[0].endswith(" dist/champion\n")
    assert (served["digest"], served["cer"]) == (champion, 0.11)
    assert (project / "another" / "bento.yaml").is_file()
    # Then the process that took the place of the other answers with it too
    assert (again["digest"], again["cer"]) == (champion, 0.11)
    assert again["since"] > served["since"]
    assert judged["model"][:12] in (project / LAYOUT.bento / "bento.yaml").read_text(encoding="utf-8")
