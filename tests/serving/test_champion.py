"""`text-recognizer serve` in a project where a model is in service."""

import json
import os
import shutil
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from text_recognizer import paths
from text_recognizer.inference import Recognizer

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def project(model, judged, bento, tmp_path):
    """A folder with the bento of the last run, and a model in service that differs from it in its temperature."""
    for name in ("bentofile.yaml", "requirements.lock"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(bento[1], tmp_path / paths.BENTO)
    champion = shutil.copytree(model, tmp_path / paths.CHAMPION)
    info = json.loads((champion / "reader.json").read_text(encoding="utf-8"))
    (champion / "reader.json").write_text(json.dumps(info | {"temperature": 2.0}), encoding="utf-8")
    verdict = judged | {"model": Recognizer.load(champion).digest, "cer": 0.11}
    (champion / "verdict.json").write_text(json.dumps(verdict), encoding="utf-8")
    return tmp_path


def test_the_model_in_service_is_served_and_not_that_of_the_last_run(project, judged):
    # Given that the two differ
    champion = Recognizer.load(project / paths.CHAMPION).digest
    assert champion != judged["model"]
    # When the project is served
    command = [sys.executable, "-m", "text_recognizer", "serve", "--port", "0"]
    server = subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        said = []
        for line in server.stdout:
            said.append(line)
            if line.startswith("ready: open "):
                break
        with urllib.request.urlopen(f"{said[-1].split()[2]}model", timeout=30) as answer:
            served = json.load(answer)
        server.terminate()
        assert server.wait(timeout=60) == 0
    finally:
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGKILL)
        server.communicate()
    # Then it is the champion that answers, from a bento of its own
    assert said[0] == "serve: bundling the model in service in dist/champion\n"
    assert (served["digest"], served["cer"]) == (champion, 0.11)
    assert (project / paths.CHAMPION_BENTO / "bento.yaml").is_file()
    assert judged["model"][:12] in (project / paths.BENTO / "bento.yaml").read_text(encoding="utf-8")
