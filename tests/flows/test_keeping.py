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
    """A pipeline of two stages, with the files of the real one. Each writes its name to `ran`."""

    def report(name, value):
        return f"mkdir -p reports && echo '{json.dumps(value)}' > reports/{name}.json"

    def uncached(*names):
        return [{f"reports/{name}.json": {"cache": False}} for name in names]

    pack = "mkdir -p data/raw data/processed && cp source data/raw/s.zip && cp source data/processed/test.npy"
    train = "mkdir -p models/reader && cp data/processed/test.npy models/reader/w"
    valid = report("validation", {**validation, "passed": True})
    return {
        "preprocess": {"cmd": f"echo preprocess >> ran; {pack}; {valid}", "deps": ["source", "data/feedback"],
                       "outs": ["data/raw", "data/processed", *uncached("validation")]},
        "train": {"cmd": f"echo train >> ran; {train}; {report('score', score)}; {report('verdict', verdict)}",
                  "deps": ["data/processed"], "outs": ["models/reader", *uncached("score", "verdict")]},
    }  # fmt: skip


@pytest.fixture
def store(tmp_path_factory):
    """The place of DVC's remote, which does not exist yet."""
    return tmp_path_factory.mktemp("remote") / "store"


@pytest.fixture
def project(make_project, stages, params, store):
    """A committed clone of that pipeline with a remote of DVC."""
    folder = make_project(stages)
    values = params.model_dump(mode="json", by_alias=True)
    (folder / "params.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    ignored = ["/data/*", "!/data/feedback/", "/data/feedback/*", "!README.md", "/given/"]
    ignored += ["/models/", "/dist/", "/ran", "/.cache/", "/.dvc/cache/", "/.dvc/tmp/"]
    (folder / ".gitignore").write_text("\n".join(ignored) + "\n")
    (folder / "source").write_text("the first pages")
    (folder / "data/feedback").mkdir(parents=True)
    (folder / "data/feedback/README.md").write_text("git keeps this file alone")
    (folder / "data/feedback/a.json").write_text("the first correction")
    with (folder / ".dvc/config").open("a") as settings:
        settings.write(f"    remote = store\n['remote \"store\"']\n    url = {store}\n")
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
    (project / "data/feedback/a.json").write_text("corrected")
    (project / "data/feedback/b.json").write_text("the second correction")
    do(project, "git", "commit", "--quiet", "--all", "--message", "more pages")
    retrain_flow.retrain(project, commit=True)
    assert corpora(project) == ["corpus@v1.0.0", "corpus@v2.0.0"]
    # When a colleague clones the project and checks the first version out
    clone = tmp_path_factory.mktemp("colleague") / "clone"
    do(clone.parent, "git", "clone", "--quiet", str(project), str(clone))
    do(clone, "git", "checkout", "--quiet", "corpus@v1.0.0")
    dvc(clone, "pull")
    do(clone, "cp", "-rn", "given/.", "data/")
    # Then the model, its data and its corrections are there, and no stage runs again
    assert model_of(clone) == "the first pages"
    assert (clone / "data/raw/s.zip").read_text() == "the first pages"
    assert (clone / "data/feedback/a.json").read_text() == "the first correction"
    assert not (clone / "data/feedback/b.json").exists()
    assert "up to date" in dvc(clone, "repro")
    assert not (clone / "ran").exists()
    # And in the first clone, its own cache suffices
    do(project, "git", "checkout", "--quiet", "corpus@v1.0.0")
    dvc(project, "checkout")
    assert model_of(project) == "the first pages"
    # And GTO reads the tags, which it did not make
    shown = json.loads(do(project, str(Path(sys.executable).with_name("gto")), "show", "--json"))
    assert shown["corpus"]["version"] == "v2.0.0"


def test_an_accepted_corpus_has_one_version_without_a_remote_too_and_another_one_has_none(project):
    dvc(project, "remote", "remove", "store")
    do(project, "git", "commit", "--quiet", "--all", "--message", "no remote")
    for flow in (ingest_flow.ingest, retrain_flow.retrain):
        assert flow(project, commit=True, return_state=True).is_completed()
        assert corpora(project) == ["corpus@v1.0.0"]
    # When a validation does not accept the data, they have no version
    graph = yaml.safe_load((project / "dvc.yaml").read_text())
    command = graph["stages"]["preprocess"]["cmd"]
    graph["stages"]["preprocess"]["cmd"] = command.replace('{"passed": true', '{"passed": false', 1)
    (project / "dvc.yaml").write_text(yaml.safe_dump(graph))
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
