"""The pretrained reader, a verdict for it, the bento built from them, a server of that bento, and pictures."""

import asyncio
import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import numpy as np
import psutil
import pytest
import uvicorn
from fastapi.responses import FileResponse, HTMLResponse, Response
from PIL import Image, ImageDraw, ImageFont
from tests.serving.page_user import HEADERS, USER

from text_recognizer.core.schemas import PassedVerdict
from text_recognizer.inference import Recognizer
from text_recognizer.inference.model_info import read_info
from text_recognizer.serving.app import create_app
from text_recognizer.serving.bento import bundle
from text_recognizer.serving.correction_store import FEEDBACK_VARIABLE, FeedbackFolder, Quota, limits_of_model
from text_recognizer.serving.hosts import HOSTS_VARIABLE
from text_recognizer.serving.jobs import JobQuota, Jobs
from text_recognizer.serving.page_assembly import page_html
from text_recognizer.serving.served import Served
from text_recognizer.serving.server import stop
from text_recognizer.serving.takeover import CHAMPION_VARIABLE
from text_recognizer.utils.files import replace_atomically, write_json

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 240


@pytest.fixture(scope="session")
def model():
    """The folder of the pretrained reader. Do not change it: copy it."""
    return ROOT / "models/pretrained"


@pytest.fixture(scope="session")
def recognizer(model):
    """The pretrained reader, which takes one thread."""
    return Recognizer.load(model, threads=1)


@pytest.fixture(scope="session")
def judged(model):
    """A verdict, as JSON, that passes the model."""
    rule = {"name": "max_cer", "limit": 0.2, "value": 0.1, "passed": True, "reason": ""}
    digest = Recognizer.load(model).digest
    return {
        "passed": True, "model": digest, "cer": 0.1, "cer_interval": [0.08, 0.12], "rules": [rule], "basis": "limits",
    }  # fmt: skip


@pytest.fixture(scope="session")
def verdict(judged):
    """The same verdict as a record."""
    return PassedVerdict.model_validate(judged)


@pytest.fixture(scope="session")
def passed(model, judged, tmp_path_factory):
    """The file of that verdict, beside the score of the model."""
    path = tmp_path_factory.mktemp("verdict") / "verdict.json"
    path.write_text(json.dumps(judged), encoding="utf-8")
    shutil.copy(model / "score.json", path.parent)
    return path


@pytest.fixture(scope="session")
def bento(model, passed, tmp_path_factory):
    """The tag and the folder of a bento of the model. Do not change the folder: copy it."""
    out = tmp_path_factory.mktemp("dist") / "bento"
    with contextlib.chdir(ROOT):
        return bundle(model, passed, out), out


@pytest.fixture(scope="session")
def writing(tmp_path_factory):
    """A PNG with two printed lines."""
    picture = Image.new("L", (600, 200), 245)
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(40)
    draw.text((30, 30), "Rain fell all day", font=font, fill=30)
    draw.text((30, 110), "and the mill stood still", font=font, fill=30)
    path = tmp_path_factory.mktemp("pictures") / "writing.png"
    picture.save(path)
    return path


@pytest.fixture(scope="session")
def handwriting(recognizer, tmp_path_factory):
    """A PNG with two handwritten lines, which are synthetic."""
    from text_recognizer.benchmarks.bench_pages import crops, drawn_pages

    info = recognizer.info
    page = drawn_pages(1, [crops(info.dpi, *info.canvas, info.padding)])[0]
    _, second, third, *_ = page.pages[0].boxes
    pixels = page.canvases[0][: (second[1] + second[3] + third[1]) // 2]
    path = tmp_path_factory.mktemp("pictures") / "handwriting.png"
    Image.fromarray(np.pad(pixels, 30, constant_values=255)).save(path)
    return path


@pytest.fixture(scope="session")
def application(recognizer, verdict):
    """Make the application with the reader. It keeps corrections and jobs in folders, or accepts none."""

    def make(folder=None, quota=Quota(), jobs=None, job_quota=JobQuota(), **changes):  # noqa: B008
        app = create_app()
        feedback = FeedbackFolder(folder, limits_of_model(recognizer.info), quota) if folder else None
        app.state.served = Served(recognizer, verdict, feedback, **changes)
        app.state.jobs = Jobs(jobs, lambda: app.state.served, job_quota) if jobs else None
        return app

    return make


@pytest.fixture(scope="session")
def bare_python(tmp_path_factory):
    """A Python that has the dependencies of the project but not the project itself."""
    import bentoml

    folder = tmp_path_factory.mktemp("bare") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    packages = next(folder.glob("lib/python*/site-packages"))
    (packages / "dependencies.pth").write_text(f"{Path(bentoml.__file__).parents[1]}\n", encoding="utf-8")
    python = folder / "bin" / "python"
    if _run(python, "-c", "import text_recognizer.core").returncode == 0:
        pytest.skip("the project is installed in the folder of its dependencies, so it cannot be hidden from the bento")
    return python


def _run(python, *arguments):
    return subprocess.run([python, *arguments], cwd="/", env=_environment(), capture_output=True, check=False)


def _environment():
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


@pytest.fixture(scope="session")
def feedback_folder(tmp_path_factory):
    """The folder in which that server keeps corrections."""
    return tmp_path_factory.mktemp("feedback")


@pytest.fixture(scope="session")
def champion(tmp_path_factory):
    """The folder of the model in service that the server watches. Nothing is in service at first."""
    return tmp_path_factory.mktemp("project") / "champion"


@pytest.fixture(scope="session")
def promoted(model, judged):
    """Put the model into service in a folder, with these changes of `reader.json` and of the verdict."""

    def promote(folder, changes=None, **verdict):
        with replace_atomically(folder) as draft:
            draft.mkdir(parents=True)
            for name in ("reader.onnx", "language.npz"):
                os.link(model / name, draft / name)
            info = json.loads((model / "reader.json").read_text(encoding="utf-8")) | (changes or {})
            write_json(draft / "reader.json", info)
            digest = read_info(draft / "reader.json").digest
            write_json(draft / "verdict.json", judged | {"model": digest} | verdict)
        return digest

    return promote


@pytest.fixture(scope="session")
def server(bento, bare_python, feedback_folder, champion, tmp_path_factory):
    """Serve the bento with BentoML in a Python without the project; gives the URL, the process id and the log."""
    home = tmp_path_factory.mktemp("home")
    port = free_port()
    command = [bare_python, "-m", "bentoml", "serve", str(bento[1]), "--port", str(port)]
    settings = {"BENTOML_HOME": str(home), "BENTOML_DO_NOT_TRACK": "True", FEEDBACK_VARIABLE: str(feedback_folder)}
    settings |= {HOSTS_VARIABLE: "127.0.0.1", CHAMPION_VARIABLE: str(champion)}
    environment = _environment() | settings
    with (home / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=home, env=environment, stdout=log, stderr=log, start_new_session=True)
    url = f"http://127.0.0.1:{port}"
    try:
        wait_until_ready(process, url, home / "log")
        yield url, process.pid, home / "log"
    finally:
        stop(process)


def worker_of(pid):
    """Return the process of a server that holds the model."""
    family = psutil.Process(pid).children(recursive=True)
    (worker,) = [one for one in family if any("onnxruntime" in file.path for file in one.memory_maps())]
    return worker


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


@pytest.fixture
def look(tmp_path):
    """Open an address in a browser and return the page, by default after some seconds."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("no Chromium on this machine")
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'browser'}"]

    def shown(address, until="--virtual-time-budget=10000"):
        command = [browser, *options, until, "--dump-dom", address]
        return subprocess.run(command, capture_output=True, text=True, timeout=180, check=True).stdout

    return shown


@pytest.fixture
def driven(application, handwriting, look):
    """Return the page of a service with this feedback folder after these actions of a user."""

    def run(folder, actions, *others):
        app = application(folder)
        page = page_html() + USER.replace("ACTIONS", actions)
        app.add_api_route("/user", lambda: HTMLResponse(page, headers=HEADERS))
        finished = asyncio.Event()

        async def hold():
            await finished.wait()
            return Response(status_code=404)

        async def finish():
            finished.set()

        app.add_api_route("/hold", hold)
        app.add_api_route("/finished", finish, methods=["POST"])
        for path, name in [(handwriting, "writing.png"), *((path, path.name) for path in others)]:
            app.add_api_route(f"/{name}", lambda path=path: FileResponse(path))
        server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning"))
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            while not server.started:
                time.sleep(0.05)
            port = server.servers[0].sockets[0].getsockname()[1]
            shown = look(f"http://127.0.0.1:{port}/user", until="--timeout=150000")
        finally:
            server.should_exit = True
            thread.join()
        problem = re.search(r"<pre>.*?</pre>", shown, re.DOTALL)
        assert 'id="done"' in shown, problem or shown[-3000:]
        return shown

    return run
