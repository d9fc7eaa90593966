"""Two readers that were really trained, one for longer, and a clone of a small project that can promote them."""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from dvc.repo import Repo

from text_recognizer import paths
from text_recognizer.config import EvaluateSection, GateSection, PromoteSection
from text_recognizer.evaluation import evaluate, gate
from text_recognizer.evaluation.speed import Speed
from text_recognizer.registry.git import Git
from text_recognizer.registry.ledger import Ledger

STAGE = "stages:\n  train:\n    cmd: 'true'\n    outs: [models/reader, reports/pages.jsonl]\n"
# DVC's remote lies beside the clone, so that copies and clones of it find their own.
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
    """The model folder and reports of one training, under `folder` at the places of `paths`."""

    folder: Path

    @property
    def score(self) -> dict:
        return json.loads((self.folder / paths.SCORE).read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def limits() -> GateSection:
    return GateSection(max_cer={"default": 10}, max_wer=10, min_pages=5, max_interval=10, max_slice_cer=10,
                       min_slice_pages=2, slices={}, max_calibration_error=1,
                       max_disturbed={"inverted": 10}, max_blank=10)  # fmt: skip


@pytest.fixture(scope="session")
def section() -> PromoteSection:
    return PromoteSection(rule="better", margin=0.0, level=0.95, resamples=500, seed=1, max_seconds=60,
                          max_memory=10_000, git_remote=None)  # fmt: skip


@pytest.fixture(scope="session")
def train_one(learn_to_read, printed_words, shipped, limits, tmp_path_factory):
    """Trains for so many steps, scores and judges."""

    def make(steps: int) -> Trained:
        folder = tmp_path_factory.mktemp(f"steps{steps}")
        names = ("SCORE", "PAGES", "REPORT", "CONFUSIONS", "CURVES")
        place = {name: folder / getattr(paths, name) for name in ("MODEL", *names)}
        shutil.copytree(learn_to_read(steps), place["MODEL"])
        section = EvaluateSection(**shipped.evaluate.model_dump() | {"resamples": 100, "gallery": 0, "robustness": 2})
        reports = (place[name] for name in names)
        evaluate(printed_words, place["MODEL"], section, *reports)
        gate(place["SCORE"], limits, folder / paths.VERDICT)
        return Trained(folder)

    return make


@pytest.fixture(scope="session")
def worse(train_one) -> Trained:
    return train_one(75)


@pytest.fixture(scope="session")
def better(train_one) -> Trained:
    return train_one(130)


class Clone:
    """A git and DVC project, and what a person does in it."""

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
        """The training's work as the pipeline leaves it, committed; `changed` figures are put into the score."""
        for path in (paths.MODEL, paths.SCORE.parent):
            shutil.rmtree(self.folder / path, ignore_errors=True)
            shutil.copytree(trained.folder / path, self.folder / path)
        if changed:
            (self.folder / paths.SCORE).write_text(json.dumps(trained.score | changed), encoding="utf-8")
        with Repo(str(self.folder)) as repo:
            repo.commit(force=True)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "a training")

    @property
    def champion(self) -> str:
        """The version in service; empty where there is none."""
        entry = Ledger(Git(self.folder), None).champion()
        return entry.version if entry else ""

    def champion_of_gto(self) -> str:
        """What GTO, which did not make the tags, takes for the champion."""
        shown = json.loads(self.do(str(Path(sys.executable).with_name("gto")), "show", "--json"))
        return str(shown["reader"]["stage"]["champion"])


@pytest.fixture(scope="session")
def empty_clone(tmp_path_factory, printed_words) -> Path:
    folder = tmp_path_factory.mktemp("empty") / "project"
    folder.mkdir()
    clone = Clone(folder)
    (folder / ".gitignore").write_text(
        "/models/\n/data/\n/reports/*\n!/reports/*.json\n/.cache/\n/.dvc/cache/\n/.dvc/tmp/\n"
    )
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
    (folder / paths.PROCESSED).symlink_to(printed_words)
    return folder


@pytest.fixture(scope="session")
def clone_of():
    """Makes a folder a clone to work in."""
    return Clone


@pytest.fixture
def clone(empty_clone, tmp_path) -> Clone:
    """A project in which nothing was promoted yet."""
    return Clone(shutil.copytree(empty_clone, tmp_path / "project", symlinks=True))


@pytest.fixture(scope="session")
def quick():
    """Stands for a measurement where speed is not what the test is about: a clock costs seconds."""
    return lambda *_: Speed(0.01, 200)


@pytest.fixture(scope="session")
def in_service(empty_clone, worse, limits, section, quick, tmp_path_factory) -> Path:
    """A project with the worse reader in service. Not to be changed: copy it."""
    from text_recognizer.registry import promote

    clone = Clone(shutil.copytree(empty_clone, tmp_path_factory.mktemp("served") / "project", symlinks=True))
    clone.commit(worse)
    assert promote(clone.folder, limits, section, measured=quick)["passed"]
    return clone.folder


@pytest.fixture
def served(in_service, tmp_path) -> Clone:
    return Clone(shutil.copytree(in_service, tmp_path / "project", symlinks=True))
