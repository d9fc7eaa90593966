"""The ingest flow runs the stages up to the packed splits, and shows what validation found."""

import json

import pytest
from prefect import get_client
from prefect.client.schemas.filters import FlowRunFilter

from flows.ingest import ingest, markdown
from flows.stages import StageError

pytestmark = pytest.mark.usefixtures("prefect_server")
SUMMARY = {
    "passed": False,
    "counts": {"forms": 3, "lines": 6, "writers": 2, "excluded": 0},
    "splits": {"train": {"forms": 3, "lines": 6, "writers": 2}},
    "drift": "no data have been accepted before",
    "feedback": {"accepted": ["a"], "refused": {"b": ["correction_text: line 1 has no text"]}},
    "expectations": [
        {"suite": "forms", "name": "ink", "passed": False, "failed": 1, "rows": 3, "wrong": "it is blank: a01-000 | x",
         "fix": "scan it again"},
        {"suite": "lines", "name": "box_present", "passed": True, "failed": 0, "rows": 6, "wrong": None, "fix": "-"},
    ],
}  # fmt: skip


def stages(status=0):
    report = (
        f"mkdir -p reports/data_docs && touch reports/data_docs/index.html && echo '{json.dumps(SUMMARY)}' > reports/v"
    )
    return {
        "fetch": {"cmd": "echo fetch >> ran; echo > raw", "outs": ["raw"]},
        "validate": {"cmd": f"echo validate >> ran; {report}; mv reports/v reports/validation.json; exit {status}",
                     "deps": ["raw"], "outs": ["reports/validation.json"]},
        "preprocess": {"cmd": "echo preprocess >> ran; echo > packed", "deps": ["reports/validation.json"],
                       "outs": ["packed"]},
        "train": {"cmd": "echo train >> ran", "deps": ["packed"]},
    }  # fmt: skip


def artifacts(state):
    with get_client(sync_client=True) as client:
        mine = FlowRunFilter(id={"any_": [state.state_details.flow_run_id]})
        return {artifact.key: artifact.data for artifact in client.read_artifacts(flow_run_filter=mine)}


def test_the_stages_up_to_the_packed_splits_are_run_and_no_more(make_project):
    project = make_project(stages())
    state = ingest(project, return_state=True)
    assert (project / "ran").read_text().split() == ["fetch", "validate", "preprocess"]
    assert set(artifacts(state)) == {"ingest"}


def test_a_failed_validation_stops_the_flow_and_is_still_shown(make_project):
    project = make_project(stages(status=1))
    state = ingest(project, return_state=True)
    with pytest.raises(StageError):
        state.result()
    assert (project / "ran").read_text().split() == ["fetch", "validate"]
    shown = artifacts(state)["ingest"]
    assert "The data are not valid" in shown
    assert (project.resolve() / "reports/data_docs/index.html").as_uri() in shown


def test_the_artifact_names_the_faults_and_lists_every_expectation(tmp_path):
    shown = markdown(SUMMARY, tmp_path)
    assert "- it is blank: a01-000 \\| x. Fix: scan it again." in shown
    assert "| ✗ | forms | ink | 1 of 3 |" in shown
    assert "| ✓ | lines | box_present | 0 of 6 |" in shown
    assert "1 to learn from, 1 refused" in shown
