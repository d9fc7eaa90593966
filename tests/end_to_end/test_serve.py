"""The bento of the flow, served as the README says but without corrections, and called over HTTP."""

import json
import urllib.request

import httpx
import pytest

from text_recognizer.corpora.iam import SCAN_DPI
from text_recognizer.release.canary import known_pages, probe
from text_recognizer.utils.files import sha256

pytestmark = pytest.mark.slow
MODEL = ("--model", "models/reader")
HEAD = b'--b\r\nContent-Disposition: form-data; name="picture"; filename="cut.png"\r\n\r\n'


@pytest.fixture(scope="module")
def url(reference):
    with reference.project.serving(TEXT_RECOGNIZER_FEEDBACK="") as address:
        yield address


@pytest.fixture(scope="module")
def cutting(reference):
    """The handwriting of one test form, as a PNG."""
    _, scale, png = reference.project.handwriting("test")
    assert scale < SCAN_DPI
    return png


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


def test_it_reads_known_pages_as_the_score_of_its_model_says(reference, url):
    model = sha256(reference.project.folder / "models/reader/reader.json")
    pages = known_pages(reference.project.folder, 3)
    assert len({page.row.id for page in pages}) == 3
    assert probe(url.rstrip("/"), pages, model, 0.0) == 0


def test_whoever_serves_can_turn_corrections_off(reference, url):
    request, _ = reference.project.correction()
    assert httpx.post(f"{url}corrections", **request, timeout=60, trust_env=False).status_code == 403
    assert [path.name for path in (reference.project.folder / "data/feedback").iterdir()] == ["README.md"]


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
    archive = ("--archive", "data/raw/synthetic.zip", "--split", "lwitlrt/test")
    assert project.run("text-recognizer", "score", *archive, *MODEL, "--json", str(again)).status == 0
    score = json.loads((project.folder / "reports/score.json").read_text(encoding="utf-8"))
    assert json.loads(again.read_text(encoding="utf-8"))["cer"] == score["cer"]
