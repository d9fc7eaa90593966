"""A pipeline that is killed in each stage and repeated each time has the results of an uninterrupted one."""

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from text_recognizer.cli.stage_commands import STAGES

pytestmark = pytest.mark.slow
PATIENCE = 300.0
POLL = 0.005
Mark = Callable[[Path, str], object]


def draft(pattern: str) -> Mark:
    """Match a file or folder that exists only while the stage works."""
    return lambda folder, _: any(folder.glob(pattern))


def words(pattern: str) -> Mark:
    return lambda _, said: re.search(pattern, said)


# What shows that a stage is in the middle of its work.
MARKS = {
    "fetch": draft("data/raw/.synthetic.zip.part/*"),
    "find-lines": words("> text-recognizer find-lines"),
    "validate": words(r"validate: +\d+%"),
    "preprocess": draft("data/.processed.part/processed"),
    "train": draft(".cache/train/*/last.ckpt"),
    "evaluate": words("> text-recognizer evaluate"),
    "gate": words("> text-recognizer gate"),
    "bundle": draft("tmp/bundle-*/source/bentofile.yaml"),
}


@dataclass(frozen=True)
class Killed:
    """One run that was killed. `done` are the stages that DVC then holds for done."""

    status: int
    said: str
    done: list[str]


@pytest.fixture(scope="module")
def killed_and_repeated(tmp_path_factory, empty_project):
    """Return the copy, the run that was killed in each stage, and the last run, which was not killed."""
    project = empty_project(tmp_path_factory.mktemp("killed"))
    (project.folder / "tmp").mkdir()
    runs = {stage: kill_in(stage, project) for stage in MARKS}
    return project, runs, project.run("dvc", "repro")


def kill_in(stage, project):
    """Run the pipeline and kill it with all its processes in the middle of the stage."""
    log = project.folder / "tmp" / f"{stage}.log"
    environment = project.environment | {"TMPDIR": str(log.parent)}
    with log.open("wb") as output:
        run = subprocess.Popen(
            ["dvc", "repro"],
            cwd=project.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            wait_for(MARKS[stage], project.folder, log, run)
        finally:
            os.killpg(run.pid, signal.SIGKILL)
            status = run.wait()
    lock = project.folder / "dvc.lock"
    done = yaml.safe_load(lock.read_text(encoding="utf-8"))["stages"] if lock.exists() else []
    return Killed(status, log.read_text(encoding="utf-8", errors="replace"), list(done))


def wait_for(mark, folder, log, run):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and run.poll() is None:
        if mark(folder, log.read_text(encoding="utf-8", errors="replace")):
            return
        time.sleep(POLL)


def test_every_stage_is_killed_once():
    assert list(MARKS) == list(STAGES)


@pytest.mark.parametrize("stage", STAGES)
def test_the_kill_hits_the_stage_and_no_earlier_one_runs_again(killed_and_repeated, stage):
    run = killed_and_repeated[1][stage]
    order = list(STAGES)
    before = order[: order.index(stage)]
    assert (run.status, run.done) == (-signal.SIGKILL, before)
    assert re.findall(r"Running stage '([\w-]+)'", run.said) == [*before[-1:], stage]


def test_the_next_run_finishes_the_pipeline_without_help(killed_and_repeated):
    _, _, last = killed_and_repeated
    assert (last.status, last.stages) == (0, ["bundle"])


def test_the_results_are_those_of_an_uninterrupted_run(killed_and_repeated, reference):
    results = killed_and_repeated[0].results()
    uninterrupted = reference.project.results()
    paths = results.keys() | uninterrupted.keys()
    assert {path for path in paths if results.get(path) != uninterrupted.get(path)} == set()


def test_nothing_half_written_is_left(killed_and_repeated):
    assert killed_and_repeated[0].half_written() == []


def test_a_killed_training_resumes_from_its_checkpoint(killed_and_repeated):
    # The run that is killed in `evaluate` is the one that finished the training.
    assert re.search(r"train: resumes from step [1-9]", killed_and_repeated[1]["evaluate"].said)
