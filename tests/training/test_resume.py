"""A training that is killed and started again ends, bit for bit, as an uninterrupted one."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
# Waits after its second epoch, so that the kill comes at that moment on any machine.
CHILD = """
import json, sys, time
from pathlib import Path
from text_recognizer.core.params import LanguageSection, PreprocessSection, RuntimeSection, TrainSection
from text_recognizer.training import callbacks, fit, training_loop

class Waiting(callbacks.Progress):
    def on_train_epoch_start(self, trainer, lit):
        if trainer.current_epoch == 2:
            print("two epochs done", flush=True)
            time.sleep(600)

training_loop.Progress = Waiting
given = json.loads(sys.argv[1])
plan = fit.TrainingPlan(TrainSection(**given["train"]), PreprocessSection(**given["preprocess"]),
                        LanguageSection(**given["language"]), RuntimeSection(**given["runtime"]))
fit.train(plan, fit.TrainingFiles(*map(Path, given["files"])))
"""
SECTIONS = ("train", "preprocess", "language", "runtime")


@pytest.fixture(scope="module")
def killed(plan, files_in, tmp_path_factory):
    """The folder of a run that was killed in its third epoch, and the files that the kill left."""
    out = tmp_path_factory.mktemp("killed")
    files = files_in(out)
    given = {name: getattr(plan, name).model_dump() for name in SECTIONS}
    given["files"] = list(map(str, (files.processed, files.model, files.curves, files.scratch)))
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "WANDB_MODE": "disabled", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", CHILD, json.dumps(given)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as child:
        reached = "two epochs done\n" in child.stdout
        child.kill()
    assert (reached, child.returncode) == (True, -signal.SIGKILL)
    return out, sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def resumed(plan, killed, run_in):
    """The same run, started once more."""
    return run_in(plan, killed[0])


def test_a_kill_leaves_the_checkpoint_and_nothing_half_written(killed):
    (left,) = killed[1]
    assert Path(left).parts[:2] == ("scratch", "train")
    assert Path(left).name == "last.ckpt"


@pytest.mark.parametrize("name", ["weights.safetensors", "reader.onnx", "reader.json"])
def test_a_resumed_run_writes_the_same_model_as_an_uninterrupted_one(finished, resumed, name):
    assert (resumed.files.model / name).read_bytes() == (finished.files.model / name).read_bytes()


def test_a_resumed_run_continues_after_its_last_complete_epoch(resumed):
    lines = [line for line in resumed.printed.splitlines() if line.startswith("train: ")]
    assert lines[0].split()[-1] == "4"
    assert [line.split()[2] for line in lines[1:]] == ["6/8", "8/8"]


def test_a_resumed_run_writes_the_same_curves_as_an_uninterrupted_one(finished, resumed):
    curves = resumed.files.curves.read_bytes()
    assert curves == finished.files.curves.read_bytes()
    assert curves.count(b"\n") == 1 + 4
    assert resumed.result == finished.result


def test_a_run_that_ended_leaves_no_checkpoint(resumed):
    assert list((resumed.files.scratch / "train").iterdir()) == []
