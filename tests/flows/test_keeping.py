"""What a run accepts is pushed and tagged, and another clone brings it back; a remote that is away loses nothing."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from tests.lazy import lazy

from text_recognizer.release.git import Git
from text_recognizer.release.ledger import CORPUS, Ledger
from text_recognizer.release.store import NotPushedError

ingest_flow = lazy("flows.ingest")
keeping = lazy("flows.keeping")
retrain_flow = lazy("flows.retraining")
pytestmark = [pytest.mark.usefixtures("prefect_server"), pytest.mark.slow]


def do(folder, *command):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def dvc(folder, *arguments):
    return do(folder, sys.executable, "-m", "dvc", *arguments)


@pytest.fixture
def stages(score, verdict, validation):
    """The stages of a small pipeline, with the files of the real one. Each writes its name to `ran`."""

    def report(name, value):
        return f"mkdir -p reports && echo '{json.dumps(value)}' > reports/{name}.json"

    def stage(name, command, deps, *outs, uncached=()):
        kept = [{path: {"cache": False}} for path in uncached]
        return {"cmd": f"echo {name} >> ran; {command}", "deps": deps, "outs": [*outs, *kept]}

    valid = {**validation, "passed": True}
    return {
        "fetch": stage("fetch", "mkdir -p data/raw && cp source data/raw/s.zip", ["source"], "data/raw"),
        "validate": stage("validate", report("validation", valid), ["data/raw"], uncached=["reports/validation.json"]),
        "preprocess": stage("preprocess", "mkdir -p data/processed && cp data/raw/s.zip data/processed/test.npy",
                            ["data/raw", "reports/validation.json"], "data/processed"),
        "train": stage("train", "mkdir -p models/reader && cp data/processed/test.npy models/reader/w",
                       ["data/processed"], "models/reader"),
        "evaluate": stage("evaluate", report("score", score), ["models/reader"], uncached=["reports/score.json"]),
        "gate": stage("gate", report("verdict", verdict), ["reports/score.json"], uncached=["reports/verdict.json"]),
        "bundle": stage("bundle", "mkdir -p dist && cp models/reader/w dist/bento",
                        ["models/reader", "reports/verdict.json"], "dist/bento"),
    }  # fmt: skip


@pytest.fixture
def store(tmp_path_factory):
    """The place of DVC's remote, which does not exist yet."""
    return tmp_path_factory.mktemp("remote") / "store"


@pytest.fixture
def project(make_project, stages, params, store):
    """A committed clone of that pipeline with a remote of DVC."""
    folder = make_project(stages)
    settings = params.model_dump(mode="json", by_alias=True)
    (folder / "params.yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    (folder / ".gitignore").write_text("/data/\n/models/\n/dist/\n/ran\n/.cache/\n/.dvc/cache/\n/.dvc/tmp/\n")
    (folder / "source").write_text("the first pages")
    dvc(folder, "remote", "add", "--default", "store", str(store))
    for name, value in (("user.name", "Ann"), ("user.email", "ann@example.org")):
        do(folder, "git", "config", name, value)
    do(folder, "git", "add", "--all")
    do(folder, "git", "commit", "--quiet", "--message", "start")
    return folder


def corpora(project):
    return [tag.tag for tag in Ledger(Git(project), None, CORPUS).versions()]


def model_of(folder):
    return (folder / "models/reader/w").read_text()


def test_a_tag_brings_a_model_with_its_data_back_in_another_clone_and_nothing_has_to_run(project, tmp_path_factory):
    # Given two runs on two corpora
    assert retrain_flow.retrain(project, commit=True, return_state=True).is_completed()
    (project / "source").write_text("the second pages")
    do(project, "git", "commit", "--quiet", "--all", "--message", "more pages")
    retrain_flow.retrain(project, commit=True)
    assert corpora(project) == ["corpus@v1.0.0", "corpus@v2.0.0"]
    # When a colleague clones the project and checks the first version out
    clone = tmp_path_factory.mktemp("colleague") / "clone"
    do(clone.parent, "git", "clone", "--quiet", str(project), str(clone))
    do(clone, "git", "checkout", "--quiet", "corpus@v1.0.0")
    dvc(clone, "pull")
    # Then the model and its data are there, and no stage runs again
    assert model_of(clone) == "the first pages"
    assert (clone / "data/raw/s.zip").read_text() == "the first pages"
    dvc(clone, "repro")
    assert not (clone / "ran").exists()
    # And in the first clone, its own cache suffices
    do(project, "git", "checkout", "--quiet", "corpus@v1.0.0")
    dvc(project, "checkout")
    assert model_of(project) == "the first pages"
    # And GTO reads the tags, which it did not make
    shown = json.loads(do(project, str(Path(sys.executable).with_name("gto")), "show", "--json"))
    assert shown["corpus"]["version"] == "v2.0.0"


def test_a_corpus_that_ingest_accepts_has_a_version_and_the_same_corpus_has_one_version(project):
    for _ in range(2):
        assert ingest_flow.ingest(project, commit=True, return_state=True).is_completed()
    assert corpora(project) == ["corpus@v1.0.0"]
    assert not (project / "models").exists()
    retrain_flow.retrain(project, commit=True)
    assert corpora(project) == ["corpus@v1.0.0"]
    # And data that a validation did not accept have none
    changed = (project / "dvc.yaml").read_text().replace('"passed": true', '"passed": false', 1)
    (project / "dvc.yaml").write_text(changed)
    (project / "source").write_text("other pages")
    ingest_flow.ingest(project, commit=True)
    assert corpora(project) == ["corpus@v1.0.0"]


def test_a_remote_that_is_away_fails_the_run_and_the_next_one_pushes_without_running_a_stage(
    project, store, monkeypatch
):
    monkeypatch.setattr(retrain_flow, "push_run", keeping.push_run.with_options(retries=0))
    # Given a remote that is not mounted: a file is in the place of its folder
    store.write_text("")
    state = retrain_flow.retrain(project, commit=True, return_state=True)
    # Then the run says so, the results are committed, and nothing has a version
    assert state.is_failed()
    with pytest.raises(NotPushedError):
        state.result()
    assert "remote" in state.message
    assert do(project, "git", "status", "--porcelain", "-uno") == ""
    assert corpora(project) == []
    ran = (project / "ran").read_text()
    # When it is back, then the next run pushes
    store.unlink()
    assert retrain_flow.retrain(project, commit=True, return_state=True).is_completed()
    assert (project / "ran").read_text() == ran
    assert corpora(project) == ["corpus@v1.0.0"]
    assert [path for path in store.rglob("*") if path.is_file()]


def test_a_run_without_a_remote_is_committed_and_tagged(project):
    dvc(project, "remote", "remove", "store")
    do(project, "git", "commit", "--quiet", "--all", "--message", "no remote")
    retrain_flow.retrain(project, commit=True)
    assert corpora(project) == ["corpus@v1.0.0"]
