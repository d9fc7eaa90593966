"""The retrain flow compares with the model in service: a model that does not beat it is not bundled."""

import json
import re
import shlex

import pytest
import yaml
from tests.lazy import lazy

from text_recognizer.core.layout import LAYOUT
from text_recognizer.release.promotion import promote

flow = lazy("flows.retraining")
pytestmark = [pytest.mark.usefixtures("prefect_server"), pytest.mark.slow]
COUNTS = {"forms": 1, "lines": 2, "writers": 1}
VALIDATION = {
    "passed": True, "sha256": "ab" * 32, "split": "aachen", "counts": {**COUNTS, "excluded": 0},
    "splits": {"train": COUNTS}, "sources": [], "drift": "none", "feedback": {"accepted": [], "refused": {}},
    "expectations": [],
    "forms_at_fault": [],
}  # fmt: skip


@pytest.fixture
def retraining(params):
    """Make a clone whose gate stage copies the reports of a training, with a bundle stage after it."""

    def prepare(clone, trained):
        settings = params.model_dump(mode="json", by_alias=True)
        (clone.folder / "params.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
        (clone.folder / LAYOUT.validation).write_text(json.dumps(VALIDATION), encoding="utf-8")
        pipeline = yaml.safe_load((clone.folder / "dvc.yaml").read_text(encoding="utf-8"))
        reports = shlex.join(str(trained.folder / path) for path in (LAYOUT.score, LAYOUT.verdict))
        verdict = str(LAYOUT.verdict)
        pipeline["stages"] |= {
            "gate": {"cmd": f"cp {reports} reports/", "metrics": [{verdict: {"cache": False}}]},
            "bundle": {"cmd": "touch bundled", "deps": [verdict], "outs": ["bundled"]},
        }
        (clone.folder / "dvc.yaml").write_text(yaml.safe_dump(pipeline, sort_keys=False), encoding="utf-8")
        return clone.folder

    return prepare


def test_a_retraining_that_beats_the_model_in_service_is_bundled(served, better, retraining):
    # Given the worse reader in service, when a retraining makes the better one
    project = retraining(served, better)
    flow.retrain(project)
    # Then it is bundled
    assert (project / "bundled").exists()


def test_a_retraining_that_does_not_beat_it_is_rejected_and_is_not_bundled(
    clone, worse, better, limits, section, quick, retraining, capsys
):
    # Given the better reader in service
    clone.commit(better)
    assert promote(clone.folder, limits, section, measure=quick).passed
    # When a retraining makes the worse one, which the gate passes
    project = retraining(clone, worse)
    assert json.loads((worse.folder / LAYOUT.verdict).read_text())["passed"]
    state = flow.retrain(project, return_state=True)
    # Then the failed rule is named, nothing is bundled, and the summary is still shown
    assert state.name == "Rejected"
    assert "better: " in state.message
    assert not (project / "bundled").exists()
    assert re.search(rf"test CER +{worse.score['cer']:.2%} ", capsys.readouterr().out)


def test_a_retraining_on_other_test_pages_is_not_bundled_however_well_it_reads(served, better, retraining, tmp_path):
    project = retraining(served, better)
    elsewhere = tmp_path / "score.json"
    elsewhere.write_text(json.dumps(better.score | {"data": "0" * 64}), encoding="utf-8")
    pipeline = (project / "dvc.yaml").read_text(encoding="utf-8")
    (project / "dvc.yaml").write_text(
        pipeline.replace(str(better.folder / LAYOUT.score), str(elsewhere)), encoding="utf-8"
    )
    state = flow.retrain(project, return_state=True)
    assert state.name == "Rejected"
    assert "same_pages: " in state.message
    assert not (project / "bundled").exists()
