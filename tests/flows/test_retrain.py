"""The retrain flow runs what has changed, in order, retries temporary failures only, and stops at a rejection."""

import json
import logging
import re
import subprocess

import pytest
import yaml
from tests.lazy import lazy
from tests.sources import entry_of

from flows.dvc_stages import StageError
from text_recognizer.acquisition.sources import fetch
from text_recognizer.core.errors import TEMPORARY, TextRecognizerError

retrain_flow = lazy("flows.retraining")
stage_tasks = lazy("flows.stage_tasks")
process_locks = lazy("text_recognizer.utils.process_locks")
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
        first = retrain_flow.retrain(project, "a test", return_state=True)
        assert ran(project) == STAGES
        second = retrain_flow.retrain(project, return_state=True)
    # Then the second run did nothing, and both printed the summary
    assert ran(project) == STAGES
    messages = [record.getMessage() for record in caplog.records]
    assert "built the bento" in messages
    assert [f"{stage}: up to date" in messages for stage in STAGES] == [True] * 4
    assert not first.is_failed()
    assert capsys.readouterr().out.count("test CER   10.00% (8.00% to 12.00%), limit 20.00%") == 2
    # And Prefect shows a task for each stage, and the summary
    from prefect import get_client
    from prefect.client.schemas.filters import FlowRunFilter

    with get_client(sync_client=True) as client:
        runs = [FlowRunFilter(id={"any_": [state.state_details.flow_run_id]}) for state in (first, second)]
        tasks = [client.read_task_runs(flow_run_filter=run) for run in runs]
        artifacts = client.read_artifacts(flow_run_filter=runs[0])
        name = client.read_flow_run(first.state_details.flow_run_id).name
    assert [{task.name for task in run} for run in tasks] == [set(STAGES), set()]
    assert [artifact.key for artifact in artifacts] == ["retrain"]
    shown = artifacts[0].data
    assert "| test CER | 10.00%" in shown
    assert "| ✓ | wer | 0.7 | 0.4 |" in shown
    assert "file://" not in shown
    # And the run is named by its time and its reason
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d a test", name)


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


def test_a_rejected_model_ends_the_flow_as_rejected_with_the_reason_and_is_not_bundled(
    make_project, stages, rejected_verdict, capsys
):
    project = make_project(stages(rejected_verdict))
    state = retrain_flow.retrain(project, return_state=True)
    assert (state.type.value, state.name) == ("COMPLETED", "Rejected")
    assert "wer: too many words" in state.message
    assert ran(project) == ["validate", "evaluate", "gate"]
    assert "rejected" in capsys.readouterr().out


def test_a_run_beside_another_one_is_skipped_and_touches_nothing(make_project, stages):
    project = make_project(stages())
    with process_locks.hold(project / ".cache/locks/pipeline.lock", "the pipeline"):
        state = retrain_flow.retrain(project, return_state=True)
    assert (state.type.value, state.name) == ("COMPLETED", "Skipped")
    assert not (project / "ran").exists()


def test_what_a_run_makes_is_committed_on_request(make_project, stages, params):
    project = make_project(stages())
    settings = params.model_dump(mode="json", by_alias=True)
    (project / "params.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    for command in ("add params.yaml dvc.yaml", "-c user.name=Ann -c user.email=a@b.c commit -qm start"):
        subprocess.run(["git", *command.split()], cwd=project, check=True)
    retrain_flow.retrain(project, "by night", commit=True)
    log = subprocess.run(["git", "log", "--format=%s", "-1"], cwd=project, capture_output=True, text=True)
    assert "by night" in log.stdout
    left = subprocess.run(["git", "status", "--porcelain", "-uno"], cwd=project, capture_output=True, text=True)
    assert left.stdout == ""


def test_a_stage_is_retried_after_a_temporary_failure_and_after_no_other(make_project, monkeypatch):
    task = stage_tasks.bring_up_to_date.with_options(retry_delay_seconds=0)
    monkeypatch.setattr(stage_tasks, "bring_up_to_date", task)
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
    with pytest.raises(TextRecognizerError) as caught:
        fetch(entry_of(source, "aachen"), params.synthetic, tmp_path / "iamdb.zip")
    failure = StageError("fetch", "it failed", exit_status=caught.value.exit_status)
    from prefect.states import Failed

    assert stage_tasks.is_temporary(stage_tasks.bring_up_to_date, None, Failed(data=failure)) is temporary
