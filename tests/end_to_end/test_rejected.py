"""A model that misses a limit is not bundled, and is a result all the same: an experiment keeps its figures."""

import json
import shutil
import sys

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def rejected(reference, tmp_path_factory):
    """A copy after an experiment whose gate no model can pass, the experiment, and the bento's files before it."""
    project = reference.project.copy(tmp_path_factory.mktemp("rejected"))
    bento = project.folder / "dist/bento"
    before = {path: path.read_bytes() for path in bento.rglob("*") if path.is_file()}
    project.commit("the reference")
    strict = ("--name", "strict", "--set-param", "gate.max_cer.synthetic=0.001")
    return project, project.run("dvc", "exp", "run", *strict), before


def test_the_run_ends_with_the_rejection_and_names_the_rule(rejected):
    _, run, _ = rejected
    assert run.status == 0
    assert run.stages == ["gate", "bundle"]
    reason = "cer (the CER on pages of the source 'synthetic', "
    assert f"not bundled: reports/verdict.json rejects the model: {reason}" in run.said
    assert "Traceback" not in run.said


def test_a_rejection_is_not_judged_again(rejected):
    assert rejected[0].run("dvc", "repro").stages == []


def test_the_flow_ends_with_the_status_of_a_rejection(rejected):
    run = rejected[0].run(sys.executable, "-m", "flows.retrain")
    assert (run.status, run.stages) == (1, [])


def test_the_verdict_says_why(rejected):
    verdict = json.loads((rejected[0].folder / "reports/verdict.json").read_text(encoding="utf-8"))
    failed = {rule["name"]: rule["limit"] for rule in verdict["rules"] if not rule["passed"]}
    assert (verdict["passed"], failed) == (False, {"cer": 0.001})


def test_the_bento_of_the_last_accepted_model_stays(rejected):
    project, _, before = rejected
    bento = project.folder / "dist/bento"
    assert {path: path.read_bytes() for path in bento.rglob("*") if path.is_file()} == before


def test_without_an_earlier_bento_there_is_an_empty_folder(rejected, tmp_path):
    project = rejected[0].copy(tmp_path)
    shutil.rmtree(project.folder / "dist/bento")
    assert project.run("text-recognizer", "bundle").status == 0
    assert list((project.folder / "dist/bento").iterdir()) == []


def test_the_row_of_the_experiment_has_its_own_figures_beside_those_of_the_pipeline(rejected):
    shown = rejected[0].run("dvc", "exp", "show", "--json").said.splitlines()
    rows = json.loads(next(line for line in shown if line.startswith("[{")))
    baseline = next(row for row in rows if row["rev"] != "workspace")
    (experiment,) = baseline["experiments"]
    figures = [row["data"]["metrics"] for row in (baseline, experiment["revs"][0])]
    assert [list(files) for files in figures] == [["reports/metrics.json"]] * 2
    table = [files["reports/metrics.json"]["data"] for files in figures]
    assert [(row["passed"], row["failed"]) for row in table] == [(True, ""), (False, "cer")]
    assert table[0]["cer"] == table[1]["cer"] > 0
