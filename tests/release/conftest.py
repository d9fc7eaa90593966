"""Two trained readers, one trained for longer, and a clone of a small project in which they can be promoted."""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from text_recognizer.core.layout import LAYOUT, Layout
from text_recognizer.core.params import GateSection, PromoteSection
from text_recognizer.evaluation.split_score import ScoreFiles, evaluate
from text_recognizer.release.gate_verdict import gate
from text_recognizer.release.git import Git
from text_recognizer.release.ledger import Ledger
from text_recognizer.release.speed import Speed
from text_recognizer.utils.files import json_digest

STAGE = "stages:\n  train:\n    cmd: 'true'\n    outs: [models/reader, reports/pages.jsonl]\n"
# DVC's remote is a folder beside the clone, so that every copy of the clone has its own.
SETTINGS = """[core]
    analytics = false
    check_update = false
    remote = store
['remote "store"']
    url = ../../store
"""
IGNORED = "/models/\n/data/\n/reports/*\n!/reports/*.json\n/.cache/\n/.dvc/cache/\n/.dvc/tmp/\n"
ARTIFACT = "artifacts:\n  reader: {path: models/reader, type: model}\n"


@dataclass(frozen=True)
class Trained:
    """The model folder and the reports of one training, in the project's layout below `folder`."""

    folder: Path

    @property
    def score(self) -> dict[str, Any]:
        return json.loads((self.folder / LAYOUT.score).read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def limits() -> GateSection:
    return GateSection(max_cer={"default": 10}, max_wer=10, min_pages=5, max_interval=10, max_slice_cer=10,
                       min_slice_pages=2, slices={}, max_calibration_error=1,
                       max_perturbed={"inverted": 10}, max_blank=10)  # fmt: skip


@pytest.fixture(scope="session")
def section() -> PromoteSection:
    return PromoteSection(rule="better", margin=0.0, level=0.95, resamples=500, seed=1, max_seconds=60,
                          max_memory=10_000, git_remote=None)  # fmt: skip


@pytest.fixture(scope="session")
def judged(written_words, params, limits, tmp_path_factory):
    """Score and judge a copy of a reader."""

    def make(reader: Path) -> Trained:
        files = Layout(tmp_path_factory.mktemp(reader.name))
        shutil.copytree(reader, files.model)
        section = params.evaluate.model_copy(update={"resamples": 100, "gallery": 0, "robustness": 1})
        reports = ScoreFiles(files.score, files.pages, files.report, files.confusions)
        evaluate(written_words, files.model, section, reports, files.curves)
        gate(files.score, limits, files.verdict)
        return Trained(files.root)

    return make


@pytest.fixture(scope="session")
def worse(judged, bad_reader) -> Trained:
    return judged(bad_reader)


@pytest.fixture(scope="session")
def better(judged, good_reader) -> Trained:
    return judged(good_reader)


class Clone:
    """A git and DVC project."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def git(self, *arguments: str) -> str:
        return self.do("git", *arguments)

    def dvc(self, *arguments: str) -> str:
        return self.do(sys.executable, "-m", "dvc", *arguments)

    def do(self, *command: str) -> str:
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def commit(self, trained: Trained, **changed: object) -> None:
        """Commit the results of a training as the pipeline leaves them; `changed` replaces figures of the score."""
        for path in (LAYOUT.model, LAYOUT.score.parent):
            shutil.rmtree(self.folder / path, ignore_errors=True)
            shutil.copytree(trained.folder / path, self.folder / path)
        if changed:
            score = trained.score | changed
            del score["sha256"]
            signed = score | {"sha256": json_digest(score)}
            (self.folder / LAYOUT.score).write_text(json.dumps(signed), encoding="utf-8")
        from dvc.repo import Repo

        with Repo(str(self.folder)) as repo:
            repo.commit(force=True)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "a training")

    @property
    def champion(self) -> str:
        """The version in service; empty if there is none."""
        entry = Ledger(Git(self.folder), None).champion()
        return entry.version if entry else ""

    def champion_of_gto(self) -> str:
        """Return the champion as GTO reads it from the tags, which GTO did not make."""
        shown = json.loads(self.do(str(Path(sys.executable).with_name("gto")), "show", "--json"))
        return str(shown["reader"]["stage"]["champion"])


@pytest.fixture(scope="session")
def empty_clone(tmp_path_factory, written_words) -> Path:
    folder = tmp_path_factory.mktemp("empty") / "project"
    folder.mkdir()
    clone = Clone(folder)
    (folder / ".gitignore").write_text(IGNORED)
    (folder / "dvc.yaml").write_text(STAGE + ARTIFACT)
    (folder / "params.yaml").write_text("{}\n")
    clone.git("init", "--quiet", "--initial-branch", "main")
    clone.git("config", "user.name", "Ann")
    clone.git("config", "user.email", "ann@example.org")
    (folder / ".dvc").mkdir()
    (folder / ".dvc/config").write_text(SETTINGS)
    clone.git("add", "--all")
    clone.git("commit", "--quiet", "--message", "start")
    (folder / "data").mkdir()
    (folder / LAYOUT.processed).symlink_to(written_words)
    return folder


@pytest.fixture(scope="session")
def clone_of():
    """Make a clone object of a folder."""
    return Clone


@pytest.fixture
def clone(empty_clone, tmp_path) -> Clone:
    """A project in which no model was promoted yet."""
    return Clone(shutil.copytree(empty_clone, tmp_path / "project", symlinks=True))


@pytest.fixture(scope="session")
def quick():
    """Replaces the measurement of the speed, which takes seconds, in tests that are not about speed."""
    return lambda *_: Speed(0.01, 200)


@pytest.fixture(scope="session")
def in_service(empty_clone, worse, limits, section, quick, tmp_path_factory) -> Path:
    """A project with the worse reader in service. Do not change it: copy it."""
    from text_recognizer.release.promotion import promote

    clone = Clone(shutil.copytree(empty_clone, tmp_path_factory.mktemp("served") / "project", symlinks=True))
    clone.commit(worse)
    assert promote(clone.folder, limits, section, measure=quick).passed
    return clone.folder


@pytest.fixture
def served(in_service, tmp_path) -> Clone:
    return Clone(shutil.copytree(in_service, tmp_path / "project", symlinks=True))
