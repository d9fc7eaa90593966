"""A model that misses a limit is not bundled."""

import json
import shutil

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def rejected(reference, tmp_path_factory):
    """A copy after a run whose gate no model can pass, the run, and the bento's files before it."""
    project = reference.project.copy(tmp_path_factory.mktemp("rejected"))
    bento = project.folder / "dist/bento"
    before = {path: path.read_bytes() for path in bento.rglob("*") if path.is_file()}
    project.change(gate={"max_cer": {"synthetic": 0.000001}})
    return project, project.run("dvc", "repro"), before


def test_the_run_fails_in_the_bundle_and_names_the_rule(rejected):
    _, run, _ = rejected
    assert run.status != 0
    assert run.stages == ["gate", "bundle"]
    reason = "cer (the CER on pages of the source 'synthetic', "
    assert f"text-recognizer bundle: reports/verdict.json rejects the model: {reason}" in run.said
    assert "fix: " in run.said
    assert "Traceback" not in run.said


def test_the_verdict_says_why(rejected):
    verdict = json.loads((rejected[0].folder / "reports/verdict.json").read_text(encoding="utf-8"))
    failed = {rule["name"]: rule["limit"] for rule in verdict["rules"] if not rule["passed"]}
    assert (verdict["passed"], failed) == (False, {"cer": 0.000001})


def test_the_bento_of_the_last_accepted_model_stays(rejected):
    project, _, before = rejected
    bento = project.folder / "dist/bento"
    assert {path: path.read_bytes() for path in bento.rglob("*") if path.is_file()} == before


def test_without_an_earlier_bento_there_is_none(rejected, tmp_path):
    project = rejected[0].copy(tmp_path)
    shutil.rmtree(project.folder / "dist/bento")
    assert project.run("text-recognizer", "bundle").status == 1
    assert list((project.folder / "dist").iterdir()) == []
