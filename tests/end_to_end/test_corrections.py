"""A correction sent to the service as the README starts it: validation accepts it, and it is learnt from."""

import io
import json
import os
import signal
import subprocess
from contextlib import contextmanager

import httpx
import pytest
from PIL import Image

from text_recognizer.data.iam import IamArchive
from text_recognizer.data.packed import PackedSplit

pytestmark = pytest.mark.slow


@contextmanager
def serving(project, **changed):
    command = ["text-recognizer", "serve", "--port", "0"]
    environment = {**project.environment, **changed}
    server = subprocess.Popen(
        command, cwd=project.folder, env=environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        yield next(line.split()[2] for line in server.stdout if line.startswith("ready: open "))
        server.send_signal(signal.SIGINT)
        server.wait(timeout=60)
    finally:
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()
        server.stdout.close()  # not read to its end: who survived a kill would hold it open


@pytest.fixture
def corrected(project):
    """The handwriting of a training form, as the parts of a request: a picture, and its one line put right."""
    with IamArchive(project.folder / "data/raw/iamdb.zip") as archive:
        name = archive.splits("lwitlrt")["train"][0]
        form, page = archive.form(name), archive.picture(name)
    scale, box = page.shape[1] / form.width, form.box
    region = page[round(box.y * scale) : round(box.bottom * scale), round(box.x * scale) : round(box.right * scale)]
    stream = io.BytesIO()
    Image.fromarray(region).save(stream, "PNG")
    lines = [{"text": form.text, "box": [0, 0, region.shape[1], region.shape[0]]}]
    picture, correction = ("cut.png", stream.getvalue()), json.dumps({"lines": lines, "dpi": 300 * scale})
    return {"files": {"picture": picture}, "data": {"correction": correction}}, form.text


def test_a_correction_sent_to_the_service_joins_the_training_split(project, corrected):
    request, text = corrected
    with serving(project) as url:
        answer = httpx.post(f"{url}corrections", **request, timeout=60, trust_env=False)
    assert answer.status_code == 201, answer.text
    name = answer.json()["correction"]
    for stage in ("validate", "preprocess"):
        done = project.run("text-recognizer", stage)
        assert done.status == 0, done.said
    summary = json.loads((project.folder / "reports/validation.json").read_text(encoding="utf-8"))
    assert summary["feedback"] == {"accepted": [name], "refused": {}}
    last = PackedSplit.open(project.folder / "data/processed", "train").pages[-1]
    assert (last.id, last.text) == (f"feedback-{name}", text)


def test_whoever_serves_can_turn_corrections_off(project, corrected):
    with serving(project, TEXT_RECOGNIZER_FEEDBACK="") as url:
        assert httpx.post(f"{url}corrections", **corrected[0], timeout=60, trust_env=False).status_code == 403
    assert [path.name for path in (project.folder / "data/feedback").iterdir()] == ["README.md"]
