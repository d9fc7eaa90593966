"""A training that is killed and run again ends, bit for bit, as one that nothing disturbed."""

import contextlib
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from text_recognizer.training import train

ROOT = Path(__file__).resolve().parents[2]
# Waits after its second round, so that the kill finds it there on any machine.
CHILD = """
import json, sys, time
from pathlib import Path
from text_recognizer.config import LanguageSection, PreprocessSection, TrainSection
from text_recognizer.training import callbacks, fit, launch

class Waiting(callbacks.Progress):
    def on_train_epoch_start(self, trainer, lit):
        if trainer.current_epoch == 2:
            print("two rounds done", flush=True)
            time.sleep(600)

launch.Progress = Waiting
given = json.loads(sys.argv[1])
out = Path(given["out"])
fit.train(Path(given["processed"]), TrainSection(**given["train"]), PreprocessSection(**given["preprocess"]),
          LanguageSection(**given["language"]), out / "reader", out / "curves.csv", out / "scratch")
"""


@pytest.fixture(scope="module")
def run(processed, section, small_crops, language):
    """Runs a training whose work goes to a folder."""

    def go(out):
        return train(processed, section, small_crops, language, out / "reader", out / "curves.csv", out / "scratch")

    return go


@pytest.fixture(scope="module")
def undisturbed(run, tmp_path_factory):
    out = tmp_path_factory.mktemp("undisturbed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WANDB_MODE", "disabled")
        return out, run(out)


@pytest.fixture(scope="module")
def killed(processed, section, small_crops, language, tmp_path_factory):
    """The folder of a run that was killed in its third round, and the files that the kill left."""
    out = tmp_path_factory.mktemp("killed")
    given = {"processed": str(processed), "out": str(out)}
    given |= {"train": section.model_dump(), "preprocess": small_crops.model_dump()}
    given |= {"language": language.model_dump()}
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "WANDB_MODE": "disabled", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", CHILD, json.dumps(given)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as child:
        reached = "two rounds done\n" in child.stdout
        child.kill()
    assert (reached, child.returncode) == (True, -signal.SIGKILL)
    return out, sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())


@pytest.fixture(scope="module")
def resumed(killed, run):
    """The folder of the same run, started once more, and what that said."""
    said = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(said):
        patch.setenv("WANDB_MODE", "disabled")
        run(killed[0])
    return killed[0], said.getvalue()


def test_a_kill_leaves_its_checkpoint_and_nothing_half_written(killed):
    (left,) = killed[1]
    assert Path(left).parts[:2] == ("scratch", "train")
    assert Path(left).name == "last.ckpt"


@pytest.mark.parametrize("name", ["reader/weights.safetensors", "reader/reader.onnx", "reader/reader.json"])
def test_the_model_of_a_resumed_run_is_that_of_an_undisturbed_one(undisturbed, resumed, name):
    assert (resumed[0] / name).read_bytes() == (undisturbed[0] / name).read_bytes()


def test_a_resumed_run_goes_on_after_its_last_whole_round(resumed):
    lines = [line for line in resumed[1].splitlines() if line.startswith("train: ")]
    assert lines[0] == "train: goes on from step 4"
    assert [line.split()[2] for line in lines[1:]] == ["6/8", "8/8"]


def test_the_curves_of_a_resumed_run_are_those_of_an_undisturbed_one(undisturbed, resumed):
    curves = (resumed[0] / "curves.csv").read_bytes()
    assert curves == (undisturbed[0] / "curves.csv").read_bytes()
    assert curves.count(b"\n") == 1 + 4


def test_a_run_that_ended_leaves_no_scratch(undisturbed, resumed):
    assert [path for out in (undisturbed[0], resumed[0]) for path in (out / "scratch" / "train").iterdir()] == []
