"""The bento that the flow made, served as the README says and asked over HTTP."""

import io
import json
import os
import signal
import subprocess
import urllib.request

import pytest
from PIL import Image

from text_recognizer.data.iam import SCAN_DPI, IamArchive
from text_recognizer.files import sha256

pytestmark = pytest.mark.slow
MODEL = ("--model", "models/reader")
HEAD = b'--b\r\nContent-Disposition: form-data; name="picture"; filename="cut.png"\r\n\r\n'


@pytest.fixture(scope="module")
def url(reference):
    command = ["text-recognizer", "serve", "--port", "0"]
    project = reference.project
    server = subprocess.Popen(
        command, cwd=project.folder, env=project.environment, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        yield next(line.split()[2] for line in server.stdout if line.startswith("ready: open "))
        server.send_signal(signal.SIGINT)
        server.wait(timeout=60)
    finally:
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGKILL)
        server.communicate()


@pytest.fixture(scope="module")
def cutting(reference):
    """The handwriting of one test form, as a PNG."""
    with IamArchive(reference.project.folder / "data/raw/iamdb.zip") as archive:
        name = archive.splits("lwitlrt")["test"][0]
        form, page = archive.form(name), archive.picture(name)
    scale = page.shape[1] / form.width
    box = form.box
    region = page[round(box.y * scale) : round(box.bottom * scale), round(box.x * scale) : round(box.right * scale)]
    stream = io.BytesIO()
    Image.fromarray(region).save(stream, "PNG")
    assert scale < SCAN_DPI
    return stream.getvalue()


def ask(address, body=None):
    headers = {"Content-Type": "multipart/form-data; boundary=b"} if body else {}
    request = urllib.request.Request(address, data=body, headers=headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def test_handwriting_sent_to_it_comes_back_as_text_with_the_name_of_the_model(reference, url, cutting):
    answer = ask(f"{url}read", HEAD + cutting + b"\r\n--b--\r\n")
    assert answer["text"].strip()
    assert [line["text"] for line in answer["lines"]] == answer["text"].split("\n")
    assert answer["model"]["digest"] == sha256(reference.project.folder / "models/reader/reader.json")


def test_it_says_which_model_it_serves_and_what_the_gate_found(reference, url):
    verdict = json.loads((reference.project.folder / "reports/verdict.json").read_text(encoding="utf-8"))
    served = ask(f"{url}model")
    assert (served["digest"], served["cer"]) == (verdict["model"], verdict["cer"])


def test_serving_leaves_the_pipeline_up_to_date(reference, url, cutting):
    ask(f"{url}read", HEAD + cutting + b"\r\n--b--\r\n")
    assert reference.project.run("dvc", "repro").stages == []


def test_the_command_line_reads_the_same_text(reference, url, cutting, tmp_path):
    (tmp_path / "cut.png").write_bytes(cutting)
    answer = ask(f"{url}read", HEAD + cutting + b"\r\n--b--\r\n")
    run = reference.project.run("text-recognizer", "read", "--json", str(tmp_path / "cut.png"), *MODEL)
    assert json.loads(run.said.splitlines()[-1])["text"] == answer["text"]


def test_the_command_line_scores_the_archive_as_the_pipeline_did(reference, tmp_path):
    project, again = reference.project, tmp_path / "again.json"
    archive = ("--archive", "data/raw/iamdb.zip", "--split", "lwitlrt/test")
    assert project.run("text-recognizer", "score", *archive, *MODEL, "--json", str(again)).status == 0
    score = json.loads((project.folder / "reports/score.json").read_text(encoding="utf-8"))
    assert json.loads(again.read_text(encoding="utf-8"))["cer"] == score["cer"]
