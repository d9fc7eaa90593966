"""The probe finds a service that answers with another model, that does not read, or that reads worse than its score."""

from contextlib import contextmanager

import pytest
from tests.local_server import answering

from text_recognizer.core.schemas import PageRow
from text_recognizer.release.canary import CanaryError, KnownPage, probe, wait_for_model
from text_recognizer.release.http_json import TOKEN_VARIABLE, NoAnswerError
from text_recognizer.release.service_traffic import Traffic, traffic_of

MODEL, OTHER = "ab" * 32, "cd" * 32
ROW = {"writer": "w", "confidence": 0.9, "cer": 0.1, "length_ratio": 1.0}
PAGES = [
    KnownPage(
        b"png", PageRow(id=name, reference="to be\nor not", prediction="to bo\nor not", edits=1, characters=12, **ROW)
    )
    for name in ("a", "b")
]


@contextmanager
def service(answer, status=200):
    """Serve one answer to every request on this machine, and yield the address and what came."""
    with answering(lambda _: (status, answer)) as (address, came):
        yield address, came


def reading(text, model=MODEL):
    return {"text": text, "model": {"digest": model}}


def test_a_service_that_reads_as_its_score_says_has_no_excess():
    with service(reading("to bo\nor not")) as (address, came):
        assert probe(address, PAGES, MODEL, 0.0) == 0
    bodies = [body for _, body in came]
    assert [b'filename="a.png"' in bodies[0], b"png" in bodies[0], len(bodies)] == [True, True, 2]


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (reading("to bo\nor not", OTHER), 200),
        (reading("to xxx\nor not"), 200),
        ({"detail": "out of memory"}, 500),
        (reading("", MODEL), 503),
        (["no page"], 200),
    ],
    ids=["another model", "reads worse", "breaks", "busy", "no page"],
)
def test_any_other_service_does_not_pass(answer, status):
    with service(answer, status) as (address, _), pytest.raises(CanaryError) as caught:
        probe(address, PAGES, MODEL, 0.05)
    assert caught.value.code == "canary"


def test_a_little_more_errors_than_the_score_are_allowed():
    with service(reading("to bx\nor not")) as (address, _):
        assert probe(address, PAGES, MODEL, 0.05) == 0
    with service(reading("to xx\nor not")) as (address, _):
        assert probe(address, PAGES, MODEL, 0.1) == pytest.approx(1 / 12)


def test_a_service_that_takes_the_model_over_is_waited_for():
    with service({"digest": MODEL}) as (address, _):
        wait_for_model(address, MODEL, 5)


@pytest.mark.parametrize(
    "described",
    [{"digest": OTHER}, {"digest": OTHER, "refused": {"reason": "it reads nothing"}}],
    ids=["old", "refuses"],
)
def test_a_service_that_stays_with_another_model_is_found(described):
    with service(described) as (address, _), pytest.raises(CanaryError) as caught:
        wait_for_model(address, MODEL, 0.2, sleep=lambda _: None)
    assert described.get("refused", {}).get("reason", OTHER[:12]) in caught.value.what


def test_a_service_that_does_not_answer_is_found():
    with pytest.raises(CanaryError):
        wait_for_model("http://127.0.0.1:9", MODEL, 0.05, sleep=lambda _: None)


def test_a_token_of_the_environment_is_sent_to_a_service_that_wants_one(monkeypatch):
    # Given a service that answers to who has its token
    read = reading("to bo\nor not") | {"digest": MODEL}
    with answering(lambda _: (200, read), token="secret") as (address, _):
        with pytest.raises(CanaryError):
            probe(address, PAGES, MODEL, 0.0)
        with pytest.raises(NoAnswerError):
            traffic_of(address)
        # When the environment names the token, then it is asked with it
        monkeypatch.setenv(TOKEN_VARIABLE, "secret")
        assert probe(address, PAGES, MODEL, 0.0) == 0
        wait_for_model(address, MODEL, 1)
        assert traffic_of(address) == Traffic()
