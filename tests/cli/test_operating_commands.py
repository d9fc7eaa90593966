"""`status` shows what it can reach, and `approve` answers the one run that waits."""

import json
import subprocess
from contextlib import contextmanager

import pytest
import yaml
from tests.local_server import answering

from text_recognizer.cli.entry_point import main

NOWHERE = "http://127.0.0.1:9"


@contextmanager
def prefect(waiting):
    """Answer as a Prefect server with these runs that wait; yield its address and what is sent to it."""

    def answer(path):
        return 200, waiting if path.endswith("/filter") else {"status": "ACCEPT"}

    with answering(answer) as (address, came):
        yield f"{address}/api", came


def run(*arguments):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return ended.value.code


RUNS = [{"id": "1", "name": "monday"}, {"id": "2", "name": "tuesday"}]


@pytest.mark.parametrize(
    ("waiting", "arguments", "path", "approved"),
    [
        (RUNS[:1], (), "/api/flow_runs/1/resume", True),
        (RUNS[:1], ("--no",), "/api/flow_runs/1/resume", False),
        (RUNS, ("tuesday",), "/api/flow_runs/2/resume", True),
    ],
    ids=["yes", "no", "by name"],
)
def test_the_run_that_waits_gets_the_answer(waiting, arguments, path, approved):
    with prefect(waiting) as (address, sent):
        assert run("approve", "--server", address, *arguments) == 0
    assert (sent[-1][0], json.loads(sent[-1][1])) == (path, {"run_input": {"approved": approved}})


@pytest.mark.parametrize(
    ("waiting", "arguments"), [([], ()), (RUNS, ()), (RUNS, ("wednesday",))], ids=["none", "two", "another name"]
)
def test_without_one_run_that_is_meant_nothing_is_answered(waiting, arguments, capsys):
    with prefect(waiting) as (address, sent):
        assert run("approve", "--server", address, *arguments) == 1
    assert [path for path, _ in sent] == ["/api/flow_runs/filter"]
    assert "fix: " in capsys.readouterr().err


def test_a_server_that_does_not_answer_may_be_asked_again_later():
    assert run("approve", "--server", NOWHERE) == 75


def test_the_status_of_a_clone_without_a_model_a_service_and_a_server_says_so(params, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(params.model_dump(mode="json", by_alias=True)))
    for command in ("init --quiet", "add params.yaml", "-c user.name=Ann -c user.email=a@b.c commit --quiet -m start"):
        subprocess.run(["git", *command.split()], check=True)
    (tmp_path / "data/feedback").mkdir(parents=True)
    (tmp_path / "data/feedback/a.json").touch()
    assert run("status", "--json", "--service", NOWHERE, "--server", NOWHERE) == 0
    found = json.loads(capsys.readouterr().out)
    assert [found[key] for key in ("in_service", "service", "runs", "due")] == [None] * 4
    assert found["corrections_waiting"] == 1
    assert found["disk_free"] > 0
    assert run("status", "--service", NOWHERE, "--server", NOWHERE) == 0
    assert len(capsys.readouterr().out.splitlines()) == 6
