"""A run that finds nothing to do does not start Prefect, whose import alone takes longer than the status of DVC."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from flows import retrain
from flows.dvc_stages import run_stage
from text_recognizer.core.layout import Layout

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
RUNS = """
import sys
from pathlib import Path
from flows import retrain
status = retrain.run(Path.cwd())
print(status, "prefect" in sys.modules)
"""


@pytest.fixture
def project(make_project, score, verdict, validation):
    """A project whose one stage is up to date, with the reports of a run."""
    reports = {"score": score, "verdict": verdict, "validation": validation}
    folder = make_project({"gate": {"cmd": "echo > made", "deps": ["reports"], "outs": ["made"]}})
    for name, report in reports.items():
        path = getattr(Layout(folder), name)
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(report))
    run_stage("gate", folder, lambda _: None)
    return folder


def run_in(project):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")])}
    done = subprocess.run([sys.executable, "-c", RUNS], cwd=project, env=environment, capture_output=True, text=True)
    return done.stdout.splitlines()[-1], done.stdout


def test_the_summary_of_the_last_run_is_shown_without_prefect(project):
    last, shown = run_in(project)
    assert last == "0 False"
    assert "test CER" in shown


def test_a_model_that_was_rejected_still_is(project, rejected_verdict):
    Layout(project).verdict.write_text(json.dumps(rejected_verdict))
    run_stage("gate", project, lambda _: None)
    assert run_in(project)[0] == "1 False"


def test_a_change_and_a_run_that_was_killed_are_something_to_do(project):
    assert retrain.is_up_to_date(project)
    lock = Layout(project).pipeline_lock
    lock.parent.mkdir(parents=True)
    lock.write_text('{"pid": 1, "since": "2026-11-27T12:00:00+00:00", "note": ""}')
    assert not retrain.is_up_to_date(project)
    lock.unlink()
    (project / "reports/new").touch()
    assert not retrain.is_up_to_date(project)
