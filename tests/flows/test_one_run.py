"""A run whose process was killed is ended by the next one."""

import json
import os
import subprocess
import sys
import uuid
from pathlib import Path

import pytest
from tests.lazy import lazy

from text_recognizer.core.layout import Layout

one_run = lazy("flows.one_run")
pytestmark = [pytest.mark.usefixtures("prefect_server"), pytest.mark.slow]
ROOT = Path(__file__).parents[2]
KILLED = """
import sys
from pathlib import Path
from text_recognizer.utils.process_locks import hold
with hold(Path(sys.argv[1]), "the pipeline", sys.argv[2]):
    print("held", flush=True)
    import os, signal
    os.kill(os.getpid(), signal.SIGKILL)
"""


def killed_in(project, note):
    lock = Layout(project).pipeline_lock
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    subprocess.run([sys.executable, "-c", KILLED, str(lock), note], env=environment, check=False, capture_output=True)
    assert lock.read_text()


@pytest.fixture(scope="module")
def work():
    """A flow that works alone in a project, and returns whether the server then holds a run as running."""
    from prefect import flow

    @flow
    def works(project: Path) -> None:
        with one_run.only_run(project):
            pass

    return works


def running_run(flow):
    """Make a run that the server has as running, as one whose process is gone."""
    from prefect.client.orchestration import get_client
    from prefect.states import Running

    with get_client(sync_client=True) as client:
        run = client.create_flow_run(flow)
        client.set_flow_run_state(run.id, Running(), force=True)
    return run.id


def state_of(run):
    from prefect.client.orchestration import get_client

    with get_client(sync_client=True) as client:
        return client.read_flow_run(run).state.type.value


def test_the_next_run_ends_one_that_was_killed_tells_and_works(work, tmp_path, told):
    run = running_run(work)
    killed_in(tmp_path, str(run))
    assert state_of(run) == "RUNNING"
    assert work(tmp_path, return_state=True).is_completed()
    assert state_of(run) == "CRASHED"
    assert [json.loads(body) for _, body in told] == [{"text": "text-recognizer: failed"}]
    assert Layout(tmp_path).pipeline_lock.read_text() == ""


@pytest.mark.parametrize("note", [str(uuid.uuid4()), ""], ids=["of another server", "without a run"])
def test_a_killed_run_that_the_server_does_not_know_keeps_nobody_from_working(work, tmp_path, note):
    killed_in(tmp_path, note)
    assert work(tmp_path, return_state=True).is_completed()


def test_a_run_that_has_ended_stays_as_it_ended(work, tmp_path):
    ended = work(tmp_path, return_state=True).state_details.flow_run_id
    killed_in(tmp_path, str(ended))
    work(tmp_path)
    assert state_of(ended) == "COMPLETED"
