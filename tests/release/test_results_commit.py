"""The results of a run are committed, and nothing that somebody else is working on."""

import subprocess

import pytest

from text_recognizer.core.layout import Layout
from text_recognizer.release.results_commit import commit_results


@pytest.fixture
def clone(tmp_path):
    """A git clone with a commit, with a staged and a changed file of somebody else."""
    for name in ("params.yaml", "code.py"):
        (tmp_path / name).write_text("old")
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "add", "--all")
    git(tmp_path, "-c", "user.name=Ann", "-c", "user.email=a@b.c", "commit", "--quiet", "--message=start")
    (tmp_path / "staged.py").write_text("not ready")
    git(tmp_path, "add", "staged.py")
    (tmp_path / "code.py").write_text("not ready")
    return tmp_path


def git(folder, *arguments):
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


def test_the_lock_the_parameters_and_the_reports_are_committed_and_nothing_else(clone):
    (clone / "dvc.lock").write_text("made")
    (clone / "params.yaml").write_text("new")
    Layout(clone).score.parent.mkdir()
    Layout(clone).score.write_text("{}")
    commit = commit_results(clone, "a run")
    assert git(clone, "rev-parse", "HEAD").strip() == commit
    assert git(clone, "show", "--format=", "--name-only").split() == ["dvc.lock", "params.yaml", "reports/score.json"]
    assert git(clone, "status", "--porcelain").splitlines() == [" M code.py", "A  staged.py"]


def test_a_run_that_made_nothing_new_makes_no_commit(clone):
    before = git(clone, "rev-parse", "HEAD")
    assert commit_results(clone, "a run") is None
    assert git(clone, "rev-parse", "HEAD") == before
