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
def served(reference, tmp_path_factory):
    """A copy of the reference: a service writes into its folder."""
    return reference.project.copy(tmp_path_factory.mktemp("served"))


@pytest.fixture(scope="module")
def url(served):
    with served.serving(TEXT_RECOGNIZER_FEEDBACK="") as address:
        yield address


@pytest.fixture(scope="module")
def cutting(served):
    """The handwriting of one test form, as a PNG."""
    _, scale, png = served.handwriting("test")
    assert scale < SCAN_DPI
    return png


def ask(address, body=None):
    headers = {"Content-Type": "multipart/form-data; boundary=b"} if body else {}
    request = urllib.request.Request(address, data=body, headers=headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def test_handwriting_sent_to_it_comes_back_as_text_with_the_name_of_the_model(served, url, cutting):
    answer = ask(f"{url}read", HEAD + cutting + b"\r\n--b--\r\n")
    assert answer["text"].strip()
    assert [line["text"] for line in answer["lines"]] == answer["text"].split("\n")
    assert answer["model"]["digest"] == sha256(served.folder / "models/reader/reader.json")


def test_it_says_which_model_it_serves_and_what_the_gate_found(served, url):
    verdict = json.loads((served.folder / "reports/verdict.json").read_text(encoding="utf-8"))
    answer = ask(f"{url}model")
    assert (answer["digest"], answer["cer"]) == (verdict["model"], verdict["cer"])


def test_it_reads_known_pages_as_the_score_of_its_model_says(served, url):
    model = sha256(served.folder / "models/reader/reader.json")
    pages = known_pages(served.folder, 3)
    assert len({page.row.id for page in pages}) == 3
    assert probe(url.rstrip("/"), pages, model, 0.0) == 0


def test_whoever_serves_can_turn_corrections_off(served, url):
    request, _ = served.correction()
    assert httpx.post(f"{url}corrections", **request, timeout=60, trust_env=False).status_code == 403
    assert [path.name for path in (served.folder / "data/feedback").iterdir()] == ["README.md"]


def test_serving_leaves_the_pipeline_up_to_date(served, url, cutting):
    ask(f"{url}read", HEAD + cutting + b"\r\n--b--\r\n")
    assert served.run("dvc", "repro").stages == []


def test_the_command_line_reads_the_same_text(served, url, cutting, tmp_path):
    (tmp_path / "cut.png").write_bytes(cutting)
    answer = ask(f"{url}read", HEAD + cutting + b"\r\n--b--\r\n")
    run = served.run("text-recognizer", "read", "--json", str(tmp_path / "cut.png"), *MODEL)
    assert json.loads(run.said.splitlines()[-1])["text"] == answer["text"]


def test_the_command_line_scores_the_archive_as_the_pipeline_did(served, tmp_path):
    project, again = served, tmp_path / "again.json"
    archive = ("--archive", "data/raw/synthetic.zip", "--split", "lwitlrt/test")
    assert project.run("text-recognizer", "score", *archive, *MODEL, "--json", str(again)).status == 0
    score = json.loads((project.folder / "reports/score.json").read_text(encoding="utf-8"))
    assert json.loads(again.read_text(encoding="utf-8"))["cer"] == score["cer"]
