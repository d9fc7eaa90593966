"""The monitor says whether to train again and why, and shows it; people are told of a service that fails."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tests.lazy import lazy
from tests.local_server import answering

from text_recognizer.core.layout import Layout

monitor = lazy("flows.monitor")
pytestmark = [pytest.mark.usefixtures("prefect_server"), pytest.mark.slow]
ROOT = Path(__file__).parents[2]
KILLED = """
import sys
from pathlib import Path
from flows.monitor import monitor
monitor(Path(sys.argv[1]), deployment="", service=sys.argv[2])
"""


@pytest.fixture
def project(make_project, params):
    """A clone without a model in service, with two corrections that wait."""
    folder = make_project({"one": {"cmd": "true", "deps": ["params.yaml"]}})
    settings = params.model_dump(mode="json", by_alias=True)
    (folder / "params.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    for command in ("add params.yaml", "-c user.name=Ann -c user.email=a@b.c commit --quiet -m start"):
        subprocess.run(["git", *command.split()], cwd=folder, check=True)
    Layout(folder).feedback.mkdir(parents=True)
    for name in ("a", "b"):
        (Layout(folder).feedback / f"{name}.json").write_text(json.dumps({}))
    return folder


def service(requests, failed):
    """Serve the pages of a service that answered so many requests."""
    row = 'bentoml_service_request_total{endpoint="/read",http_response_code="%d"} %d.0\n'
    page = (row % (200, requests - failed) + row % (500, failed)).encode()
    return answering(lambda path: (200, page if path == "/metrics" else {"version": "v1"}))


@pytest.mark.parametrize(("enough", "count"), [(2, 2), (3, 1)], ids=["enough corrections", "no model alone"])
def test_the_reasons_are_returned_and_without_a_deployment_nothing_is_started(project, enough, count):
    reasons = monitor.monitor(project, max_corrections=enough, deployment="", service="")
    assert len(reasons) == count
    assert any("no model" in reason for reason in reasons)


def test_a_service_that_fails_is_told_of_and_keeps_a_training_from_starting_until_it_does_well(project, told):
    from prefect.exceptions import ObjectNotFound

    # Given a deployment that does not exist, so that starting it is an error, and a service that fails
    with service(100, 50) as (address, _):
        assert monitor.monitor(project, deployment="retrain/none", service=address)
    assert [json.loads(body) for _, body in told] == [{"text": "text-recognizer: errors"}]
    # When it answered 900 more requests and failed none of them
    with service(1000, 50) as (address, _), pytest.raises(ObjectNotFound):
        monitor.monitor(project, deployment="retrain/none", service=address)
    # Then a training was started
    assert json.loads(told[1][1]) == {"text": "text-recognizer: retraining"}


def test_a_run_that_is_killed_tells(project, told):
    from prefect.settings import get_current_settings

    # Given a service that ends the process which asks it
    processes = []

    def answer(_path):
        os.kill(processes[0].pid, signal.SIGTERM)
        return 200, b""

    environment = {**os.environ, "PYTHONPATH": f"{ROOT}", "PREFECT_API_URL": get_current_settings().api.url}
    with answering(answer) as (address, _):
        command = [sys.executable, "-c", KILLED, str(project), address]
        processes.append(subprocess.Popen(command, env=environment, cwd=project, stderr=subprocess.DEVNULL))
        assert processes[0].wait(120) != 0
    assert [json.loads(body) for _, body in told] == [{"text": "text-recognizer: failed"}]


@pytest.mark.parametrize("name", ["deploy", "ingest", "monitor", "retraining"])
def test_every_flow_tells_of_a_run_that_fails_or_is_killed(name):
    module = lazy(f"flows.{name}")
    flow = getattr(module, "retrain" if name == "retraining" else name)
    names = [hook.__name__ for hook in (*flow.on_failure_hooks, *flow.on_crashed_hooks)]
    assert names == ["tell_of_failure"] * 2
