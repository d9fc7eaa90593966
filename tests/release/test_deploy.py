"""A person approves a model or does not, and a service that does not answer with it brings the one before back."""

import threading
import time

import pytest
import yaml
from tests.lazy import lazy

from text_recognizer.cli.entry_point import main
from text_recognizer.core.layout import LAYOUT
from text_recognizer.release.promotion import promote

deploy = lazy("flows.deploy")
pytestmark = [pytest.mark.usefixtures("prefect_server"), pytest.mark.slow]


@pytest.fixture
def asked(monkeypatch):
    """Start a run that asks for approval. Return its thread and the list that its answer comes into."""
    monkeypatch.setattr(deploy, "POLL_SECONDS", 1)
    from prefect import flow

    def start(seconds):
        answers = []

        @flow(name="asks")
        def asks() -> None:
            answers.append(deploy.is_approved(seconds))

        thread = threading.Thread(target=asks)
        thread.start()
        return thread, answers

    return start


def approve(*options):
    """Run `text-recognizer approve` against the test's server until a run waits. Return its exit status."""
    from prefect.settings import get_current_settings

    end = time.monotonic() + 60
    while True:
        with pytest.raises(SystemExit) as ended:
            main(["approve", "--server", get_current_settings().api.url, *options])
        if ended.value.code == 0 or time.monotonic() > end:
            return ended.value.code
        time.sleep(0.3)


@pytest.mark.parametrize(("options", "answer"), [((), True), (("--no",), False)], ids=["yes", "no"])
def test_the_command_approves_or_declines_the_model_that_waits(asked, options, answer):
    thread, answers = asked(300)
    assert approve(*options) == 0
    thread.join(60)
    assert answers == [answer]


def test_no_answer_in_time_means_no(asked):
    thread, answers = asked(1)
    thread.join(60)
    assert answers == [False]


def test_a_service_that_does_not_take_the_model_over_brings_the_one_before_back(
    served, better, limits, section, quick, params, monkeypatch
):
    # Given a better model that was just promoted, and no service that answers
    from prefect import flow

    settings = params.model_dump(mode="json", by_alias=True)
    (served.folder / "params.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    served.commit(better)
    verdict = promote(served.folder, limits, section, measure=quick)
    assert (verdict.passed, served.champion) == (True, "v2.0.0")
    monkeypatch.setattr(deploy, "TAKEOVER_SECONDS", 0.1)

    @flow
    def looks():
        return deploy.look_at("http://127.0.0.1:9", served.folder, verdict, [])

    # When the flow looks at it, then the model before is in service again, and the registry says why
    state = looks(return_state=True)
    assert (state.type.value, state.name, served.champion) == ("COMPLETED", "RolledBack", "v1.0.0")
    assert (served.folder / LAYOUT.champion / "score.json").is_file()
