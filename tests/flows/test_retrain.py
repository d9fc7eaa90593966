"""The retrain flow runs every stage once and in order, retries temporary failures only, and stops at a rejection."""

import json
import logging

import pytest
from tests.lazy import lazy

from flows.dvc_stages import StageError
from text_recognizer.acquisition.sources import fetch
from text_recognizer.core.errors import TEMPORARY, TextRecognizerError
from text_recognizer.core.params import DataSection

retrain_flow = lazy("flows.retrain")
pytestmark = [pytest.mark.usefixtures("prefect_server"), pytest.mark.slow]
STAGES = ["validate", "evaluate", "gate", "bundle"]


@pytest.fixture
def stages(score, verdict, validation):
    """Make stages that write the reports, and their names to the file `ran`."""

    def report(name, value):
        return f"echo {name} >> ran; mkdir -p reports && echo '{json.dumps(value)}' >"

    def make(verdict=verdict):
        return {
            "validate": {"cmd": f"{report('validate', validation)} reports/validation.json",
                         "outs": ["reports/validation.json"]},
            "evaluate": {"cmd": f"{report('evaluate', score)} reports/score.json",
                         "deps": ["reports/validation.json"], "outs": ["reports/score.json"]},
            "gate": {"cmd": f"{report('gate', verdict)} reports/verdict.json",
                     "deps": ["reports/score.json"], "outs": ["reports/verdict.json"]},
            "bundle": {"cmd": "echo bundle >> ran; mkdir -p dist && echo > dist/bento; echo built the bento",
                       "deps": ["reports/verdict.json"], "outs": ["dist/bento"]},
        }  # fmt: skip

    return make


def ran(project):
    return (project / "ran").read_text().split()


def test_every_stage_runs_once_in_order_and_its_output_and_the_summary_are_shown(make_project, stages, caplog, capsys):
    # Given a pipeline that never ran, when it runs twice
    project = make_project(stages())
    with caplog.at_level(logging.INFO):
        first = retrain_flow.retrain(project, return_state=True)
        assert ran(project) == STAGES
        retrain_flow.retrain(project)
    # Then the second run did nothing, and both printed the summary
    assert ran(project) == STAGES
    messages = [record.getMessage() for record in caplog.records]
    assert "built the bento" in messages
    assert [f"{stage}: up to date" in messages for stage in STAGES] == [True] * 4
    assert capsys.readouterr().out.count("test CER   10.00% (8.00% to 12.00%), limit 20.00%") == 2
    # And Prefect shows a task for each stage, and the summary
    from prefect import get_client
    from prefect.client.schemas.filters import FlowRunFilter

    with get_client(sync_client=True) as client:
        this_run = FlowRunFilter(id={"any_": [first.state_details.flow_run_id]})
        tasks = client.read_task_runs(flow_run_filter=this_run)
        artifacts = client.read_artifacts(flow_run_filter=this_run)
    assert {task.name for task in tasks} == set(STAGES)
    assert [artifact.key for artifact in artifacts] == ["retrain"]
    assert "| test CER | 10.00%" in artifacts[0].data


def test_a_failed_stage_fails_the_flow_with_its_own_message_and_without_a_traceback(make_project, stages, caplog):
    broken = stages()
    broken["evaluate"] = {**broken["evaluate"], "cmd": "echo 'text-recognizer evaluate: no pages' >&2; exit 1"}
    project = make_project(broken)
    with pytest.raises(StageError) as caught:
        retrain_flow.retrain(project)
    assert caught.value.what.splitlines()[1:] == ["text-recognizer evaluate: no pages"]
    assert ran(project) == ["validate"]
    assert caplog.records
    assert not [record for record in caplog.records if record.exc_info]


def test_a_rejected_model_fails_the_flow_with_the_reason_and_is_not_bundled(
    make_project, stages, rejected_verdict, capsys
):
    project = make_project(stages(rejected_verdict))
    with pytest.raises(retrain_flow.RejectedError) as caught:
        retrain_flow.retrain(project)
    assert "wer: too many words" in caught.value.what
    assert ran(project) == ["validate", "evaluate", "gate"]
    assert "rejected" in capsys.readouterr().out


def test_a_stage_is_retried_after_a_temporary_failure_and_after_no_other(make_project, monkeypatch):
    task = retrain_flow.bring_up_to_date.with_options(retry_delay_seconds=0)
    monkeypatch.setattr(retrain_flow, "bring_up_to_date", task)
    flaky = f"echo try >> ran; [ $(wc -l < ran) -ge 3 ] || exit {TEMPORARY}"
    project = make_project({"fetch": {"cmd": flaky}, "train": {"cmd": "echo train >> ran; exit 1"}})
    with pytest.raises(StageError) as caught:
        retrain_flow.retrain(project)
    assert caught.value.exit_status == 1
    assert ran(project) == ["try", "try", "try", "train"]


@pytest.mark.parametrize(
    ("source", "temporary"), [("http://127.0.0.1:9/iamdb.zip", True), ("no/such/iamdb.zip", False)]
)
def test_an_address_that_does_not_answer_is_a_temporary_failure_and_a_missing_file_is_not(
    params, tmp_path, monkeypatch, source, temporary
):
    monkeypatch.setattr("time.sleep", lambda _: None)
    data = DataSection(source=source, sha256=None, split="aachen", exclude=())
    with pytest.raises(TextRecognizerError) as caught:
        fetch(data, params.synthetic, tmp_path / "iamdb.zip")
    failure = StageError("the stage 'fetch' failed", exit_status=caught.value.exit_status)
    from prefect.states import Failed

    assert retrain_flow.is_temporary(retrain_flow.bring_up_to_date, None, Failed(data=failure)) is temporary
