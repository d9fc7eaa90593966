"""The bento is served by BentoML in a Python without the project, and answers over HTTP."""

import io
import json
import time
import urllib.error
import urllib.request
from pathlib import Path

import httpx
import psutil
import pytest
from PIL import Image

from text_recognizer.corpora import corrections
from text_recognizer.serving.limits import MAX_BYTES
from text_recognizer.serving.page_assembly import page_html

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


@pytest.mark.parametrize(("kind", "start"), [("pdf", "%PDF-"), ("alto", "<?xml"), ("text", "")])
def test_a_format_is_written_by_the_packages_of_the_bento(server, handwriting, kind, start):
    answer = httpx.post(
        f"{server[0]}/read?format={kind}", files={"picture": handwriting.read_bytes()}, timeout=60, trust_env=False
    )
    assert answer.status_code == 200
    assert answer.content.startswith(start.encode())
    assert len(answer.content) > 20


def test_a_blank_page_has_no_text(server):
    stream = io.BytesIO()
    Image.new("L", (200, 100), 250).save(stream, "PNG")
    status, answer = ask(f"{server[0]}/read", form(stream.getvalue()))
    assert (status, json.loads(answer)["text"]) == (200, "")


@pytest.mark.parametrize(
    ("body", "status"),
    [(form(b"words"), 415), (form(b"x" * MAX_BYTES), 413)],
    ids=["no picture", "too large"],
)
def test_a_bad_request_is_refused_with_what_is_wrong_and_the_fix(server, body, status):
    code, answer = ask(f"{server[0]}/read", body)
    assert (code, sorted(json.loads(answer))) == (status, ["detail", "fix", "status", "title", "type"])


def test_a_large_body_without_a_declared_length_is_refused(server):
    pieces = iter([HEAD % b"picture"] + [b"x" * 2**20] * (MAX_BYTES // 2**20 + 1))
    assert ask(f"{server[0]}/read", pieces)[0] == 413


@pytest.mark.parametrize("path", ["livez", "readyz", "metrics"])
def test_the_health_checks_of_bentoml_answer(server, path):
    assert ask(f"{server[0]}/{path}")[0] == 200


def test_without_an_address_bentoml_serves_this_computer_only(server):
    family = [psutil.Process(server[1]), *psutil.Process(server[1]).children(recursive=True)]
    connections = [one for process in family for one in process.net_connections("inet")]
    assert {one.laddr.ip for one in connections if one.status == psutil.CONN_LISTEN} == {"127.0.0.1"}


def samples(metrics):
    """Return the samples of /metrics, without comments."""
    return [line for line in metrics.splitlines() if line and not line.startswith("#")]


def test_unknown_paths_share_one_label(server):
    ask(f"{server[0]}/nowhere")
    before = samples(ask(f"{server[0]}/metrics")[1])
    statuses = {ask(f"{server[0]}/nowhere/{number}")[0] for number in range(20)}
    after = samples(ask(f"{server[0]}/metrics")[1])
    assert (statuses, len(after)) == ({404}, len(before))
    name = 'bentoml_service_request_total{endpoint="unknown",http_response_code="404"} '
    (count,) = [float(line.removeprefix(name)) for line in after if line.startswith(name)]
    assert count >= 21


def test_a_path_cannot_write_lines_or_colours_into_the_log(server):
    ask(f"{server[0]}/%1b%5b31mred%0aa%20line%20of%20its%20own")
    # The line is written after the answer.
    deadline = time.monotonic() + 30
    while "a line of its own" not in (written := server[2].read_text(encoding="utf-8")):
        assert time.monotonic() < deadline, written[-2000:]
        time.sleep(0.1)
    assert not any(line.startswith("a line of its own") for line in written.splitlines())
    assert "\x1b[31mred" not in written


def test_a_host_that_the_server_does_not_have_is_refused(server):
    request = urllib.request.Request(server[0], headers={"Host": "evil.example"})
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=60)
    with caught.value as answer:
        assert (answer.code, answer.headers["Content-Type"]) == (421, "application/problem+json")


@pytest.mark.parametrize("path", ["", "/model", "/livez", "/readyz"])
def test_a_head_request_is_answered(server, path):
    request = urllib.request.Request(server[0] + path, method="HEAD")
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert (answer.status, answer.read()) == (200, b"")


def test_an_unknown_path_is_a_problem(server):
    status, answer = ask(f"{server[0]}/nowhere")
    assert (status, json.loads(answer)["type"]) == (404, "urn:text-recognizer:problem:not-found")


def test_a_client_that_leaves_stops_its_work(server, handwriting):
    """The pages of a file are not read on for nobody."""
    page = Image.open(handwriting)
    stream = io.BytesIO()
    page.save(stream, "TIFF", save_all=True, append_images=[page] * 19)
    # Given a request of twenty pages whose client gives up
    with pytest.raises(httpx.TimeoutException):
        httpx.post(f"{server[0]}/read", files={"picture": stream.getvalue()}, timeout=1, trust_env=False)
    # When the next one comes
    start = time.monotonic()
    assert ask(f"{server[0]}/read", form(handwriting.read_bytes()))[0] == 200
    one = time.monotonic() - start
    # Then it does not wait for the twenty pages
    begin = time.monotonic()
    assert ask(f"{server[0]}/read", form(handwriting.read_bytes()))[0] == 200
    assert one < 8 * max(time.monotonic() - begin, 0.5)


def test_our_page_replaces_the_page_of_bentoml(server):
    assert ask(server[0]) == (200, page_html())


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


def test_what_is_read_is_compared_with_the_pages_of_the_score(server, model, handwriting):
    score = json.loads((model / "score.json").read_text(encoding="utf-8"))
    ask(f"{server[0]}/read", form(handwriting.read_bytes()))
    drift = json.loads(ask(f"{server[0]}/drift")[1])
    expected = {figure["name"]: figure["expected"] for figure in drift["figures"]}
    assert drift["pages"] > 0
    assert expected["words_per_page"] == pytest.approx(score["words"] / score["pages"])


def test_a_browser_shows_the_model_and_its_error_rate(server, judged, look):
    shown = look(server[0])
    assert f"text-recognizer:{judged['model'][:12]}" in shown
    assert "10.0 %" in shown
