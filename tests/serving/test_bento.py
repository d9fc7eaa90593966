"""The bento is served by BentoML in a Python without the project, and answers over HTTP."""

import io
import json
import urllib.error
import urllib.request
from pathlib import Path

import httpx
import psutil
import pytest
from PIL import Image

from text_recognizer.corpora import corrections
from text_recognizer.serving.limits import MAX_BYTES

pytestmark = pytest.mark.slow
HEAD = b'--b\r\nContent-Disposition: form-data; name="%b"; filename="page.png"\r\n\r\n'
CORRECTION = {"lines": [{"text": "Rain fell all day", "box": [28, 26, 400, 50]}]}
FORM = {"Content-Type": "multipart/form-data; boundary=b"}


def ask(url, body=None, headers=FORM):
    """Return the status and the body of an answer. A request with a body is a POST."""
    request = urllib.request.Request(url, data=body, headers=headers if body is not None else {})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as answer:
        with answer:
            return answer.code, answer.read().decode()


def form(data, part=b"picture"):
    return HEAD % part + data + b"\r\n--b--\r\n"


def test_a_picture_is_read_as_the_recognizer_reads_it(server, recognizer, handwriting):
    status, answer = ask(f"{server[0]}/read", form(handwriting.read_bytes()))
    page = json.loads(answer)
    assert (status, page["text"]) == (200, recognizer.read(handwriting).text)
    assert page["text"].count("\n") == 1
    assert page["model"]["digest"] == recognizer.digest


def test_a_blank_page_has_no_text(server):
    stream = io.BytesIO()
    Image.new("L", (200, 100), 250).save(stream, "PNG")
    status, answer = ask(f"{server[0]}/read", form(stream.getvalue()))
    assert (status, json.loads(answer)["text"]) == (200, "")


@pytest.mark.parametrize(
    ("body", "status"),
    [(form(b"words"), 415), (form(b"words", b"other"), 422), (form(b"x" * MAX_BYTES), 413)],
    ids=["no picture", "no part", "too large"],
)
def test_a_bad_request_is_refused_with_what_is_wrong_and_the_fix(server, body, status):
    code, answer = ask(f"{server[0]}/read", body)
    assert (code, sorted(json.loads(answer))) == (status, ["error", "fix"])


def test_a_large_body_without_a_declared_length_is_refused(server):
    pieces = iter([HEAD % b"picture"] + [b"x" * 2**20] * (MAX_BYTES // 2**20 + 1))
    assert ask(f"{server[0]}/read", pieces)[0] == 413


@pytest.mark.parametrize("path", ["livez", "readyz", "metrics"])
def test_the_health_checks_of_bentoml_answer(server, path):
    assert ask(f"{server[0]}/{path}")[0] == 200


def test_our_page_replaces_the_page_of_bentoml(server):
    import text_recognizer.serving

    page = Path(text_recognizer.serving.__file__).with_name("page.html")
    assert ask(server[0]) == (200, page.read_text(encoding="utf-8"))


def test_no_worker_of_the_server_has_loaded_torch(server):
    ask(f"{server[0]}/model")
    if not Path("/proc/self/maps").exists():
        pytest.skip("this system does not list the libraries of a process")
    workers = psutil.Process(server[1]).children(recursive=True)
    loaded = [Path(f"/proc/{worker.pid}/maps").read_text() for worker in workers]
    assert any("onnxruntime" in libraries for libraries in loaded)
    assert not any("libtorch" in libraries for libraries in loaded)


def test_a_served_bento_keeps_a_correction(server, feedback_folder, writing, judged):
    with httpx.Client(base_url=server[0], timeout=60, trust_env=False) as client:
        assert client.get("/model").json()["corrections"] is True
        files = {"picture": ("page.png", writing.read_bytes())}
        answer = client.post("/corrections", files=files, data={"correction": json.dumps(CORRECTION)})
    assert answer.status_code == 201
    kept = corrections.read(feedback_folder, answer.json()["correction"])
    assert (kept.form.text, kept.model) == (CORRECTION["lines"][0]["text"], judged["model"])


def test_a_browser_shows_the_model_and_its_error_rate(server, judged, look):
    shown = look(server[0])
    assert f"text-recognizer:{judged['model'][:12]}" in shown
    assert "10.0 %" in shown
