import json
import logging

import pytest
from prefect import get_client
from prefect.client.schemas.filters import FlowRunFilter
from prefect.states import Failed

from flows import retrain as retraining
from flows.retrain import RejectedError, may_pass, retrain
from flows.stages import StageError
from text_recognizer.config import DataSection, load
from text_recognizer.data.fetch import fetch
from text_recognizer.errors import DataError

pytestmark = pytest.mark.usefixtures("prefect_server")
PASSED = {"passed": True, "rules": [{"name": "cer", "limit": 0.2, "value": 0.1, "passed": True, "reason": "within"}]}
FAILED = {
    "passed": False,
    "rules": [{"name": "cer", "limit": 0.2, "value": 0.9, "passed": False, "reason": "the CER is above the limit"}],
}
SCORE = {"cer": 0.1, "cer_interval": [0.08, 0.12], "wer": 0.4, "pages": 120, "characters": 9000}
VALIDATION = {"counts": {"forms": 1, "lines": 2, "writers": 1}, "splits": {"train": {"forms": 1}}}


def written(path, value):
    return f"mkdir -p reports && echo '{json.dumps(value)}' > {path}"


def reporting(verdict):
    """Stages that leave what the flow reads at its end, each saying its name in a file of those that ran."""
    return {
        "validate": {"cmd": f"echo validate >> ran; {written('reports/validation.json', VALIDATION)}",
                     "outs": ["reports/validation.json"]},
        "evaluate": {"cmd": f"echo evaluate >> ran; {written('reports/score.json', SCORE)}",
                     "deps": ["reports/validation.json"], "outs": ["reports/score.json"]},
        "gate": {"cmd": f"echo gate >> ran; {written('reports/verdict.json', verdict)}",
                 "deps": ["reports/score.json"], "outs": ["reports/verdict.json"]},
        "bundle": {"cmd": "echo bundle >> ran; mkdir -p dist && echo > dist/bento",
                   "deps": ["reports/verdict.json"], "outs": ["dist/bento"]},
    }  # fmt: skip


def ran(project):
    return (project / "ran").read_text().split()


def messages(caplog):
    return [record.getMessage() for record in caplog.records]


def test_every_stage_runs_once_in_order_and_its_output_is_in_the_log(make_project, caplog, capsys):
    # Given a pipeline that was never run
    stages = reporting(PASSED)
    stages["bundle"] = {**stages["bundle"], "cmd": stages["bundle"]["cmd"] + "; echo wrapped it up"}
    project = make_project(stages)
    # When it is run twice
    with caplog.at_level(logging.INFO):
        retrain(project)
        first = ran(project)
        retrain(project)
    # Then the first run did it all, in order, the second nothing, and both said what it came to
    assert first == ["validate", "evaluate", "gate", "bundle"]
    assert ran(project) == first
    said = messages(caplog)
    assert "wrapped it up" in said
    assert [f"{stage}: up to date" in said for stage in first] == [True] * 4
    assert capsys.readouterr().out.count("test CER   10.00% (8.00% to 12.00%), limit 20.00%") == 2


def test_a_failing_stage_fails_the_flow_in_its_own_words_and_stops_it(make_project, caplog):
    stages = reporting(PASSED)
    stages["evaluate"] = {**stages["evaluate"], "cmd": "echo 'text-recognizer evaluate: no pages' >&2; exit 1"}
    project = make_project(stages)
    with pytest.raises(StageError, match="text-recognizer evaluate: no pages"):
        retrain(project)
    assert ran(project) == ["validate"]
    assert not [record for record in caplog.records if record.exc_info], "a traceback is no help to people"


def test_a_rejected_model_fails_the_flow_with_the_reason_and_is_not_bundled(make_project, capsys):
    project = make_project(reporting(FAILED))
    with pytest.raises(RejectedError, match="the CER is above the limit"):
        retrain(project)
    assert ran(project) == ["validate", "evaluate", "gate"]
    assert "rejected" in capsys.readouterr().out


def test_each_task_run_bears_its_stage_s_name_and_the_summary_is_an_artifact(make_project):
    project = make_project(reporting(PASSED))
    state = retrain(project, return_state=True)
    with get_client(sync_client=True) as client:
        mine = FlowRunFilter(id={"any_": [state.state_details.flow_run_id]})
        tasks = client.read_task_runs(flow_run_filter=mine)
        artifacts = client.read_artifacts(flow_run_filter=mine)
    assert {task.name for task in tasks} == {"validate", "evaluate", "gate", "bundle"}
    assert [artifact.key for artifact in artifacts] == ["retrain"]
    assert "| test CER | 10.00%" in artifacts[0].data


def test_a_stage_is_tried_again_only_where_the_failure_may_pass(make_project, monkeypatch):
    task = retraining.bring_up_to_date.with_options(retry_delay_seconds=0)
    monkeypatch.setattr(retraining, "bring_up_to_date", task)
    answer = "echo 'https://example.org/iamdb.zip cannot be fetched: timeout'; exit 1"
    flaky = f"echo try >> ran; [ $(wc -l < ran) -ge 3 ] || {{ {answer}; }}"
    project = make_project(
        {
            "fetch": {"cmd": flaky},
            "train": {"cmd": "echo train >> ran; echo 'out of memory'; exit 1"},
        }
    )
    with pytest.raises(StageError, match="out of memory"):
        retrain(project)
    assert ran(project) == ["try", "try", "try", "train"]


@pytest.mark.parametrize(("source", "again"), [("http://127.0.0.1:9/iamdb.zip", True), ("no/such/iamdb.zip", False)])
def test_an_address_that_does_not_answer_is_tried_again_and_a_path_is_not(tmp_path, source, again):
    data = DataSection(source=source, sha256=None, split="aachen", exclude=())
    with pytest.raises(DataError) as caught:
        fetch(data, load().synthetic, tmp_path / "iamdb.zip")
    failure = StageError(f"the stage 'fetch' failed\n{caught.value}")
    assert may_pass(retraining.bring_up_to_date, None, Failed(data=failure)) is again
