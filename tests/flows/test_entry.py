"""A flow that is started as a command ends with a status, and with plain words where something is wrong."""

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows.entry import INTERRUPTED, status_of
from text_recognizer.errors import TextRecognizerError


def raising(error):
    def run():
        raise error

    return run


@pytest.mark.parametrize(
    ("run", "status", "said"),
    [
        (lambda: None, 0, ""),
        (raising(TextRecognizerError("no pages", "fetch some")), 1, "ingest: no pages\n  fix: fetch some\n"),
        (raising(KeyboardInterrupt()), INTERRUPTED, "ingest: interrupted; repeat the command to go on\n"),
    ],
)
def test_the_status_and_the_words_say_how_a_flow_ended(run, status, said, capsys):
    with temporary_settings(restore_defaults={PREFECT_API_URL}):
        assert status_of("ingest", run) == status
    assert capsys.readouterr().err == said


def test_a_server_that_does_not_answer_is_named_before_anything_runs(capsys):
    started = []
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}):
        assert status_of("ingest", lambda: started.append(1)) == 1
    assert started == []
    assert "the Prefect server at http://127.0.0.1:9/api does not answer" in capsys.readouterr().err


def test_a_mistake_of_our_own_is_not_hidden():
    with temporary_settings(restore_defaults={PREFECT_API_URL}), pytest.raises(ZeroDivisionError):
        status_of("ingest", lambda: 1 / 0)
