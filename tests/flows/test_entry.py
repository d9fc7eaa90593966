"""A flow that runs as a command has an exit status, and prints a message instead of a traceback for a known error."""

import pytest
from tests.lazy import lazy

from flows.dvc_stages import StageError
from text_recognizer.core.errors import INTERRUPTED, TEMPORARY, ConfigError, TextRecognizerError

entry = lazy("flows.entry")
settings = lazy("prefect.settings")


def raising(error):
    def run():
        raise error

    return run


@pytest.mark.parametrize(
    ("run", "status", "message"),
    [
        (lambda: None, 0, ""),
        (raising(TextRecognizerError("no pages", "fetch some")), 1, "ingest: no pages\n  fix: fetch some\n"),
        (raising(StageError("fetch", "no answer", exit_status=TEMPORARY)), TEMPORARY, "ingest: no answer\n"),
        (raising(KeyboardInterrupt()), INTERRUPTED, "ingest: interrupted; repeat the command to resume\n"),
    ],
    ids=["success", "error", "temporary failure", "interrupt"],
)
def test_the_exit_status_and_the_message_tell_how_a_flow_ended(run, status, message, capsys):
    with settings.temporary_settings(restore_defaults={settings.PREFECT_API_URL}):
        assert entry.run_flow("ingest", run) == status
    assert capsys.readouterr().err == message


@pytest.mark.slow
def test_a_server_that_does_not_answer_is_named_before_anything_runs(capsys):
    started = []
    with settings.temporary_settings({settings.PREFECT_API_URL: "http://127.0.0.1:9/api"}):
        assert entry.run_flow("ingest", lambda: started.append(1)) == ConfigError.exit_status
    assert started == []
    assert "http://127.0.0.1:9/api" in capsys.readouterr().err


def test_an_unexpected_exception_is_not_hidden():
    with settings.temporary_settings(restore_defaults={settings.PREFECT_API_URL}), pytest.raises(ZeroDivisionError):
        entry.run_flow("ingest", lambda: 1 / 0)
