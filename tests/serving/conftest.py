"""A tiny model with random weights, a verdict about it, the bento built from them, and that bento served."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from text_recognizer import config
from text_recognizer.inference import Recognizer
from text_recognizer.serving.bundle import bundle
from text_recognizer.serving.corrections import VARIABLE
from text_recognizer.serving.serve import stop

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 90


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    import torch

    from text_recognizer.inference.export import export
    from text_recognizer.models import ParagraphReader
    from text_recognizer.text import MAPPING

    torch.manual_seed(1)
    folder = tmp_path_factory.mktemp("model") / "reader"
    shape = {"canvas_height": 64, "canvas_width": 96}
    preprocess = config.load(ROOT / "params.yaml").preprocess.model_copy(update=shape)
    export(ParagraphReader(len(MAPPING), (4, 4, 8, 8), 0.0), preprocess, folder)
    return folder


@pytest.fixture(scope="session")
def judged(model):
    """A verdict, as a dictionary, that passes the tiny model."""
    rule = {"name": "max_cer", "limit": 0.2, "value": 0.1, "passed": True, "reason": ""}
    digest = Recognizer.load(model).digest
    return {"passed": True, "model": digest, "cer": 0.1, "cer_interval": [0.08, 0.12], "rules": [rule]}


@pytest.fixture(scope="session")
def passed(judged, tmp_path_factory):
    path = tmp_path_factory.mktemp("verdict") / "verdict.json"
    path.write_text(json.dumps(judged), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def bento(model, passed, tmp_path_factory):
    """The bento's tag and its folder."""
    out = tmp_path_factory.mktemp("dist") / "bento"
    with contextlib.chdir(ROOT):
        return bundle(model, passed, out), out


@pytest.fixture(scope="session")
def writing(tmp_path_factory):
    """A PNG with two lines of print on it."""
    picture = Image.new("L", (600, 200), 245)
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(40)
    draw.text((30, 30), "Rain fell all day", font=font, fill=30)
    draw.text((30, 110), "and the mill stood still", font=font, fill=30)
    path = tmp_path_factory.mktemp("pictures") / "writing.png"
    picture.save(path)
    return path


@pytest.fixture(scope="session")
def bare_python(tmp_path_factory):
    """A Python that has the project's dependencies and not the project: its path file is not followed from there."""
    import bentoml

    folder = tmp_path_factory.mktemp("bare") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    packages = next(folder.glob("lib/python*/site-packages"))
    (packages / "dependencies.pth").write_text(f"{Path(bentoml.__file__).parents[1]}\n", encoding="utf-8")
    python = folder / "bin" / "python"
    if _run(python, "-c", "import text_recognizer").returncode == 0:
        pytest.skip("the project is installed beside its dependencies, so it cannot be hidden from the bento")
    return python


def _run(python, *arguments):
    return subprocess.run([python, *arguments], cwd="/", env=_environment(), capture_output=True, check=False)


def _environment():
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


@pytest.fixture(scope="session")
def feedback_folder(tmp_path_factory):
    """Where that server keeps corrections."""
    return tmp_path_factory.mktemp("feedback")


@pytest.fixture(scope="session")
def server(bento, bare_python, feedback_folder, tmp_path_factory):
    """`bentoml serve` on the bento, started where the project cannot be imported; gives its URL and process id."""
    home = tmp_path_factory.mktemp("home")
    port = free_port()
    command = [bare_python, "-m", "bentoml", "serve", str(bento[1]), "--host", "127.0.0.1", "--port", str(port)]
    own = {"BENTOML_HOME": str(home), "BENTOML_DO_NOT_TRACK": "True", VARIABLE: str(feedback_folder)}
    environment = _environment() | own
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=home, env=environment, stdout=log, stderr=log, start_new_session=True)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_ready(process, url, home / "log")
        yield url, process.pid
    finally:
        stop(process)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_ready(process, url, log):
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(urllib.error.URLError, OSError):
            urllib.request.urlopen(f"{url}/readyz", timeout=2).close()
            return
        time.sleep(0.2)
    pytest.fail(f"the bento was not ready in {READY_SECONDS} s:\n{log.read_text(encoding='utf-8')[-3000:]}")
