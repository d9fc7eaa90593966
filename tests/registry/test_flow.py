"""The flow's rule of promotion through a real Prefect run: what does not beat the model in service is not bundled."""

import json
import re
import shlex
from pathlib import Path

import pytest
import yaml

from flows.retrain import RejectedError, retrain
from text_recognizer import config, paths
from text_recognizer.registry import promote

pytestmark = pytest.mark.usefixtures("prefect_server")
ROOT = Path(__file__).resolve().parents[2]
VALIDATION = {"counts": {"forms": 1, "lines": 2, "writers": 1}, "splits": {"train": {"forms": 1}}}


@pytest.fixture
def retraining():
    """Makes the gate's stage of a clone leave the reports of a training, and a stage after it that says it ran."""

    def prepare(clone, trained):
        settings = config.load(ROOT / "params.yaml").model_dump(mode="json", by_alias=True)
        (clone.folder / "params.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
        (clone.folder / paths.VALIDATION).write_text(json.dumps(VALIDATION), encoding="utf-8")
        pipeline = yaml.safe_load((clone.folder / "dvc.yaml").read_text(encoding="utf-8"))
        reports = shlex.join(str(trained.folder / path) for path in (paths.SCORE, paths.VERDICT))
        verdict = str(paths.VERDICT)
        pipeline["stages"] |= {
            "gate": {"cmd": f"cp {reports} reports/", "metrics": [{verdict: {"cache": False}}]},
            "bundle": {"cmd": "touch bundled", "deps": [verdict], "outs": ["bundled"]},
        }
        (clone.folder / "dvc.yaml").write_text(yaml.safe_dump(pipeline, sort_keys=False), encoding="utf-8")
        return clone.folder

    return prepare


def test_a_retraining_that_beats_the_model_in_service_is_bundled(served, better, retraining):
    # Given the worse reader in service, When a retraining makes the better one
    project = retraining(served, better)
    retrain(project)
    # Then it is bundled
    assert (project / "bundled").exists()


def test_a_retraining_that_does_not_beat_it_fails_the_flow_and_is_not_bundled(
    clone, worse, better, limits, section, quick, retraining, capsys
):
    # Given the better reader in service
    clone.commit(better)
    assert promote(clone.folder, limits, section, measured=quick)["passed"]
    # When a retraining makes the worse one, whose verdict by the limits alone is that it may ship
    project = retraining(clone, worse)
    assert json.loads((worse.folder / paths.VERDICT).read_text())["passed"]
    with pytest.raises(
        RejectedError, match=r"the model in service is not beaten, nothing was bundled:\n  better: "
    ) as caught:
        retrain(project)
    # Then that is said with what to do, and what was made can still be seen
    assert "`text-recognizer models` shows the champion" in caught.value.fix
    assert not (project / "bundled").exists()
    assert re.search(rf"test CER +{worse.score['cer']:.2%} ", capsys.readouterr().out)


def test_a_retraining_on_other_test_pages_is_not_bundled_however_well_it_reads(served, better, retraining, tmp_path):
    project = retraining(served, better)
    elsewhere = tmp_path / "score.json"
    elsewhere.write_text(json.dumps(better.score | {"data": "0" * 64}), encoding="utf-8")
    pipeline = (project / "dvc.yaml").read_text(encoding="utf-8")
    (project / "dvc.yaml").write_text(
        pipeline.replace(str(better.folder / paths.SCORE), str(elsewhere)), encoding="utf-8"
    )
    with pytest.raises(RejectedError, match="same_pages: scored on other test pages"):
        retrain(project)
    assert not (project / "bundled").exists()
