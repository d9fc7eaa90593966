"""Corrections are taken back, wait for a person if the operator wants that, and are bounded for each token."""

import json

import pytest
from starlette.testclient import TestClient

from text_recognizer.cli import main
from text_recognizer.corpora import corrections
from text_recognizer.serving.app import create_app
from text_recognizer.serving.correction_store import FeedbackFolder, Quota, limits_of_model
from text_recognizer.serving.review import list_corrections
from text_recognizer.serving.served import Served
from text_recognizer.serving.settings import Settings
from text_recognizer.serving.tokens import TOKENS_VARIABLE

LINES = [
    {"text": "Rain fell all day", "box": [28, 26, 400, 50]},
    {"text": "and the mill stood still", "box": [28, 106, 520, 50]},
]
TOKENS = {name: name[0] * 24 for name in ("anna", "bert", "cora")}
ROLES = {"anna": "correct", "bert": "correct", "cora": "admin"}


@pytest.fixture
def folder(tmp_path):
    return tmp_path


@pytest.fixture
def service(recognizer, verdict, folder):
    """Make a client of a service, with tokens or without, that may keep corrections until they are accepted."""

    def make(tokens=False, review=False, quota=Quota()):  # noqa: B008
        lines = "\n".join(f"{name} {ROLES[name]} {token}" for name, token in TOKENS.items())
        app = create_app(Settings.of({TOKENS_VARIABLE: lines} if tokens else {}))
        feedback = FeedbackFolder(folder, limits_of_model(recognizer.info), quota, review=review)
        app.state.served = Served(recognizer, verdict, feedback)
        return TestClient(app)

    return make


def key(name):
    return {"Authorization": f"Bearer {TOKENS[name]}"} if name else {}


@pytest.fixture
def send(writing):
    def post(client, name=None):
        files = {"picture": ("page.png", writing.read_bytes())}
        data = {"correction": json.dumps({"lines": LINES})}
        return client.post("/corrections", files=files, data=data, headers=key(name))

    return post


def run(*arguments):
    """Run a command and return its exit status."""
    with pytest.raises(SystemExit) as caught:
        main(["feedback", *map(str, arguments)])
    return caught.value.code


def test_a_correction_is_taken_back_with_its_picture(service, send, folder):
    client = service()
    first, second = (send(client).json()["correction"] for _ in range(2))
    assert client.delete(f"/corrections/{first}").status_code == 204
    assert corrections.list_ids(folder) == [second]
    assert {path.stem for path in folder.iterdir()} == {second}
    assert client.delete(f"/corrections/{first}").status_code == 404


@pytest.mark.parametrize("name", ["nothing", "..", ".waiting", "%2e%2e%2fetc", "*", "a" * 200])
def test_no_other_name_removes_anything(service, send, folder, name):
    client = service()
    kept = send(client).json()["correction"]
    assert client.delete(f"/corrections/{name}").status_code in (404, 405)
    assert corrections.list_ids(folder) == [kept]


def test_a_page_of_another_site_cannot_take_it_back(service, send, folder):
    client = service()
    kept = send(client).json()["correction"]
    answer = client.delete(f"/corrections/{kept}", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert corrections.list_ids(folder) == [kept]


@pytest.mark.parametrize(("who", "status"), [("anna", 204), ("bert", 403), ("cora", 204), (None, 401)])
def test_with_tokens_only_its_sender_and_an_admin_take_it_back(service, send, folder, who, status):
    client = service(tokens=True)
    kept = send(client, "anna").json()["correction"]
    assert client.delete(f"/corrections/{kept}", headers=key(who)).status_code == status
    assert (corrections.list_ids(folder) == []) is (status == 204)


def test_a_token_has_a_quota_of_its_own(service, send, folder):
    client = service(tokens=True, quota=Quota(of_source=2))
    statuses = [send(client, name).status_code for name in ("anna", "anna", "anna", "bert")]
    assert statuses == [201, 201, 507, 201]
    sources = [one.source for one in list_corrections(folder)]
    assert sorted(sources) == ["anna", "anna", "bert"]


def test_a_correction_that_waits_is_not_one_of_the_pipeline_until_it_is_accepted(service, send, folder, capsys):
    # Given a service that reviews, and a correction
    answer = send(service(review=True)).json()
    name = answer["correction"]
    assert answer["waiting"] is True
    # Then the pipeline does not see it, and the command lists it
    assert corrections.list_ids(folder) == []
    assert run("list", "--folder", folder) == 0
    assert capsys.readouterr().out.split()[:2] == [name, "waiting"]
    # When it is accepted
    assert run("accept", name, "--folder", folder) == 0
    # Then the pipeline sees it, whole
    assert corrections.list_ids(folder) == [name]
    assert corrections.read(folder, name).form.text == "Rain fell all day\nand the mill stood still"
    assert list((folder / ".waiting").iterdir()) == []
    assert run("accept", name, "--folder", folder) == 1


def test_a_correction_that_waits_counts_for_the_quota(service, send):
    client = service(review=True, quota=Quota(corrections=1))
    assert [send(client).status_code for _ in range(2)] == [201, 507]


@pytest.mark.parametrize("review", [True, False])
def test_a_rejected_correction_is_deleted(service, send, folder, review):
    name = send(service(review=review)).json()["correction"]
    assert run("reject", name, "--folder", folder) == 0
    assert list_corrections(folder) == []
    assert [path for path in folder.rglob("*") if path.is_file()] == []
    assert run("reject", name, "--folder", folder) == 1


def test_without_review_a_correction_does_not_wait(service, send, folder):
    assert send(service()).json()["waiting"] is False
    assert [one.waiting for one in list_corrections(folder)] == [False]


@pytest.mark.slow
def test_a_correction_is_shown_with_how_far_it_differs_from_the_reading(service, handwriting, folder, capsys):
    # Given a page that is corrected as it is read, and one with invented text
    client = service()
    page = client.post("/read", files={"picture": handwriting.read_bytes()}).json()
    names = []
    for changed in (lambda text: text, lambda text: "".join(sorted(text)).strip()):
        lines = [{"text": changed(line["text"]), "box": line["box"]} for line in page["lines"]]
        data = {"correction": json.dumps({"lines": lines})}
        answer = client.post("/corrections", files={"picture": handwriting.read_bytes()}, data=data)
        names.append(answer.json()["correction"])
    # When both are shown
    shown = []
    for name in names:
        assert run("show", name, "--folder", folder) == 0
        shown.append(capsys.readouterr().out.splitlines())
    # Then the text is there, and the second differs far more
    assert shown[0][: len(page["lines"])] == page["text"].split("\n")
    rates = [float(lines[-1].partition("%")[0]) for lines in shown]
    assert rates[0] < 10 < 50 < rates[1]
