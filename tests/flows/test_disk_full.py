"""A flow on a disk that is full ends as failed and says so, and goes on from its last finished stage afterwards."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.usefixtures("prefect_server"), pytest.mark.slow]
ROOT = Path(__file__).parents[2]
NAMESPACE = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
# Runs the flow on a small disk, and again after the disk has grown; prints the states and the stages that ran.
SCRIPT = """
import json, subprocess, sys
from pathlib import Path
from flows.ingest import ingest
project = Path(sys.argv[1])
states = [ingest(project, return_state=True)]
subprocess.run(["mount", "-o", "remount,size=64m", str(project)], check=True)
states.append(ingest(project, return_state=True))
print(json.dumps([(state.type.value, state.message or "") for state in states]))
"""


@pytest.fixture
def small_disk(make_project):
    """Run a script in a project on a disk of 5 MiB, whose second stage writes so many bytes; return what it prints."""
    if subprocess.run([*NAMESPACE, "mount -t tmpfs none /mnt"], capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let a user mount a disk of his own")

    def run(bytes_written):
        folder = make_project(
            {
                "fetch": {"cmd": "echo fetch >> ran; echo > raw", "outs": ["raw"]},
                "preprocess": {
                    "cmd": f"echo preprocess >> ran; head -c {bytes_written} /dev/zero > packed",
                    "deps": ["raw"],
                    "outs": ["packed"],
                },
            }
        )
        disk = folder.with_name(f"{folder.name}-disk")
        disk.mkdir()
        flow = f'{sys.executable} -c "$SCRIPT" {disk} && cat {disk}/ran'
        script = f"mount -t tmpfs -o size=5m none {disk} && cp -a {folder}/. {disk} && {flow}"
        done = subprocess.run(
            [*NAMESPACE, script], env=environment(), cwd=folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-2000:]
        *_, states, fetched, first, second = done.stdout.splitlines()
        return json.loads(states), [fetched, first, second]

    return run


def environment():
    from prefect.settings import get_current_settings

    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PREFECT_API_URL": get_current_settings().api.url,
        "SCRIPT": SCRIPT,
        "PREFECT_LOGGING_LEVEL": "ERROR",
    }


def test_a_full_disk_fails_the_run_by_name_and_the_next_run_goes_on(small_disk):
    # Given a disk that has room for what the stage writes, and not for what DVC keeps of it
    states, ran = small_disk(3_000_000)
    assert [state for state, _ in states] == ["FAILED", "COMPLETED"]
    assert "No space left on device" in states[0][1]
    assert ran == ["fetch", "preprocess", "preprocess"]
