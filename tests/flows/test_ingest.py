"""The ingest flow runs the stages up to the packed splits and shows what the validation found."""

import json

import pytest
from tests.lazy import lazy

from flows.dvc_stages import StageError
from text_recognizer.core.errors import ConfigError
from text_recognizer.core.schemas import ValidationSummary

flow = lazy("flows.ingest")
artifact = lazy("flows.validation_artifact")
pytestmark = [pytest.mark.usefixtures("prefect_server"), pytest.mark.slow]


@pytest.fixture
def stages(validation):
    """Make the stages of the data; `status` is the exit status of the validation."""

    def make(status=0):
        docs = "mkdir -p reports/data_docs && touch reports/data_docs/index.html"
        summary = f"echo '{json.dumps(validation)}' > reports/validation.json"
        return {
            "fetch": {"cmd": "echo fetch >> ran; echo > raw", "outs": ["raw"]},
            "find-lines": {"cmd": "echo find-lines >> ran; echo > found", "deps": ["raw"], "outs": ["found"]},
            "validate": {"cmd": f"echo validate >> ran; {docs}; {summary}; exit {status}",
                         "deps": ["found"], "outs": ["reports/validation.json"]},
            "preprocess": {"cmd": "echo preprocess >> ran; echo > packed", "deps": ["reports/validation.json"],
                           "outs": ["packed"]},
            "train": {"cmd": "echo train >> ran", "deps": ["packed"]},
        }  # fmt: skip

    return make


def artifacts(state):
    from prefect import get_client
    from prefect.client.schemas.filters import FlowRunFilter

    with get_client(sync_client=True) as client:
        this_run = FlowRunFilter(id={"any_": [state.state_details.flow_run_id]})
        return {artifact.key: artifact.data for artifact in client.read_artifacts(flow_run_filter=this_run)}


def test_the_stages_up_to_the_packed_splits_run_and_no_more(make_project, stages):
    project = make_project(stages())
    state = flow.ingest(project, return_state=True)
    assert (project / "ran").read_text().split() == ["fetch", "find-lines", "validate", "preprocess"]
    assert set(artifacts(state)) == {"ingest"}


def test_a_failed_validation_stops_the_flow_and_its_summary_is_still_shown(make_project, stages):
    project = make_project(stages(status=1))
    state = flow.ingest(project, return_state=True)
    with pytest.raises(StageError):
        state.result()
    assert (project / "ran").read_text().split() == ["fetch", "find-lines", "validate"]
    shown = artifacts(state)["ingest"]
    assert "| ✗ | forms | ink | 1 of 3 |" in shown
    assert "`reports/data_docs/index.html`" in shown
    assert "file://" not in shown


def test_the_artifact_names_the_problems_and_lists_every_expectation(validation, tmp_path):
    shown = artifact.markdown(ValidationSummary.model_validate(validation), tmp_path)
    assert "- it is blank: a01-000 \\| x. Fix: scan it again." in shown
    assert "| ✗ | forms | ink | 1 of 3 |" in shown
    assert "| ✓ | lines | box_present | 0 of 6 |" in shown
    assert "Corrections: 1 accepted, 1 refused" in shown


def test_the_reports_are_linked_where_a_server_serves_them(validation, tmp_path, monkeypatch):
    monkeypatch.setenv("TEXT_RECOGNIZER_REPORTS_URL", "http://127.0.0.1:4300/")
    docs = tmp_path / "reports/data_docs/index.html"
    docs.parent.mkdir(parents=True)
    docs.touch()
    shown = artifact.markdown(ValidationSummary.model_validate(validation), tmp_path)
    assert "[data_docs](http://127.0.0.1:4300/data_docs/index.html)" in shown


def test_a_stage_that_is_forced_runs_although_nothing_has_changed_and_another_name_is_refused(make_project):
    stage = {"cmd": "echo run >> ran; touch packed", "deps": ["source"], "outs": ["packed"]}
    project = make_project({"preprocess": stage})
    (project / "source").touch()
    flow.ingest(project)
    flow.ingest(project)
    assert (project / "ran").read_text().split() == ["run"]
    flow.ingest(project, force=("preprocess",))
    assert (project / "ran").read_text().split() == ["run"] * 2
    with pytest.raises(ConfigError):
        flow.ingest(project, force=("preproces",))
