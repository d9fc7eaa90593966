"""A model that is promoted is taken over by the running service; one that fails is not, and the service says so."""

import json
import threading
import time

import httpx
import onnx
import pytest
from onnx import numpy_helper
from starlette.testclient import TestClient

from text_recognizer.serving.takeover import Takeover, exchanged, probe
from text_recognizer.utils.files import sha256

WAIT = 120.0
OTHER = {"temperature": 7.5}


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "champion"


@pytest.fixture
def takeover(folder, tmp_path):
    return Takeover(folder, tmp_path)


def test_without_a_model_in_service_nothing_is_taken_over(takeover):
    assert (takeover.first(), takeover.next(), takeover.refused) == (None, None, None)


def test_a_model_without_a_passed_verdict_is_refused_with_the_reason(takeover, folder, promoted, judged):
    rule = judged["rules"][0] | {"passed": False, "reason": "0.4 is above 0.2"}
    promoted(folder, passed=False, rules=[rule])
    assert takeover.next() is None
    assert "max_cer" in takeover.refused.reason


@pytest.mark.parametrize("name", ["reader.onnx", "verdict.json", "reader.json"])
def test_an_incomplete_model_is_refused_once_with_the_reason(takeover, folder, promoted, name):
    promoted(folder)
    (folder / name).unlink()
    assert takeover.next() is None
    assert name in takeover.refused.reason
    refused = takeover.refused
    assert takeover.next() is None
    assert takeover.refused is refused, "the same files were tried twice"


@pytest.mark.slow
def test_a_refused_model_is_tried_again_when_its_files_have_changed(takeover, folder, promoted):
    promoted(folder)
    (folder / "verdict.json").rename(folder / "away")
    assert takeover.next() is None
    (folder / "away").rename(folder / "verdict.json")
    assert takeover.next() is not None
    assert (takeover.next(), takeover.refused) == (None, None)


@pytest.fixture
def blind(model, folder, promoted):
    """Put a model into service that loads and answers, but whose weights are gone."""
    graph = onnx.load(model / "reader.onnx")
    for weights in graph.graph.initializer:
        array = numpy_helper.to_array(weights)
        if array.ndim > 1 and array.dtype.kind == "f":
            weights.CopyFrom(numpy_helper.from_array(array * 0, weights.name))
    path = folder.with_name("blind.onnx")
    onnx.save(graph, path)
    digest = promoted(folder, {"graph_sha256": sha256(path)})
    (folder / "reader.onnx").unlink()
    path.rename(folder / "reader.onnx")
    return digest


@pytest.mark.slow
def test_a_model_that_cannot_read_the_known_page_is_refused(takeover, folder, promoted, blind):
    # Given a model that was taken over, and then one that reads nothing
    good = promoted(folder.with_name("good"))
    before = Takeover(folder.with_name("good"), folder.parent)
    assert before.next().recognizer.digest == good
    # When a process begins
    model = takeover.first()
    # Then it serves the one before, and the reason is known
    assert model.recognizer.digest == good != blind
    assert "known page" in takeover.refused.reason


@pytest.mark.slow
def test_the_known_page_is_read_with_few_errors(recognizer, monkeypatch):
    monkeypatch.setattr("text_recognizer.serving.takeover.MAX_ERROR_RATE", 0.05)
    probe(recognizer)


@pytest.mark.slow
def test_the_description_of_the_model_says_since_when_it_answers_and_what_was_refused(
    application, takeover, folder, promoted
):
    app = application(takeover=takeover)
    client = TestClient(app)
    before = client.get("/model").json()
    # Given that a model was taken over, and that the one after it has no verdict
    promoted(folder, OTHER, cer=0.15)
    app.state.served = exchanged(app.state.served, takeover.next())
    (folder / "verdict.json").unlink()
    takeover.next()
    # Then the first one answers, and the reason is there
    after = client.get("/model").json()
    assert (before["cer"], after["cer"], before["refused"]) == (0.1, 0.15, None)
    assert before["digest"] != after["digest"]
    assert before["since"] <= after["since"] <= after["refused"]["when"]


class Reader(threading.Thread):
    """A client that reads one picture after the other, and keeps the statuses and the digests of the answers."""

    def __init__(self, url, picture):
        super().__init__()
        self.answers, self._url, self._picture, self._end = [], url, picture, threading.Event()

    def run(self):
        with httpx.Client(base_url=self._url, timeout=60, trust_env=False) as client:
            while not self._end.is_set():
                answer = client.post("/read", files={"picture": self._picture})
                self.answers.append((answer.status_code, answer.json().get("model", {}).get("digest")))

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        self.join()


def wait_for(url, condition):
    """Return what /model says as soon as it meets a condition."""
    deadline = time.monotonic() + WAIT
    while time.monotonic() < deadline:
        try:
            found = httpx.get(f"{url}/model", timeout=10, trust_env=False).json()
        except (httpx.HTTPError, json.JSONDecodeError):
            found = {}
        if found and condition(found):
            return found
        time.sleep(0.2)
    raise AssertionError(found)


def test_a_running_server_takes_over_what_is_promoted_without_dropping_a_request(
    server, champion, promoted, judged, handwriting
):
    url = server[0]
    first = judged["model"]
    try:
        with Reader(url, handwriting.read_bytes()) as client:
            # When a model without a passed verdict is put into service, then the old one stays
            promoted(champion, OTHER, passed=False)
            refused = wait_for(url, lambda found: found["refused"])
            assert refused["digest"] == first
            # When one is promoted, then it answers, and no request was dropped
            second = promoted(champion, OTHER)
            taken = wait_for(url, lambda found: found["digest"] == second)
            count = len(client.answers)
            while len(client.answers) < count + 2:
                time.sleep(0.05)
        assert taken["since"] > refused["since"]
        assert taken["refused"] is None
        digests = [digest for _, digest in client.answers]
        assert {status for status, _ in client.answers} == {200}
        assert digests == [first] * digests.count(first) + [second] * digests.count(second)
        assert min(digests.count(first), digests.count(second)) > 0
    finally:
        promoted(champion)
        wait_for(url, lambda found: found["digest"] == first)
