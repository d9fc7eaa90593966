"""The lab's command: its own arguments, its files, resuming after a kill, and what it refuses."""

import contextlib
import csv
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image

from text_recognizer.core.errors import ConfigError, ModelError
from text_recognizer.training.run_experiment import experiment, main

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
LAB_LINE = (
    "--data_class IAMParagraphs --model_class ResnetTransformer --loss transformer --gpus=0 --batch_size 4 "
    "--precision 16 --limit_train_batches 10 --limit_test_batches 1 --limit_val_batches 2"
)
SMALL = ["--tf_dim", "32", "--tf_fc_dim", "64", "--tf_layers", "1", "--num_workers", "0"]
LINES = (
    "--data_class IAMParagraphs --model_class LineCNN --loss ctc --gpus=0 --conv_dim 2 --fc_dim 8 --lr 0.01 "
    "--batch_size 2 --max_epochs 4 --ema_decay 0.9 --schedule cosine --augment 0.5 --seed 5"
)


@pytest.fixture(scope="module")
def packed(printed_split, tmp_path_factory):
    """A packed corpus of print with all three splits."""
    folder = tmp_path_factory.mktemp("pages")
    printed_split([("to be",), ("a sea",), ("of ink",), ("the cat",), ("sat on",), ("and so",)]).save(folder, "train")
    printed_split([("to sea",), ("a pen",)]).save(folder, "validation")
    printed_split([("the sea",), ("a cat",)]).save(folder, "test")
    return folder


@pytest.fixture(autouse=True)
def offline_on_one_thread(monkeypatch):
    """No test waits for a W&B server. Work this small is slower on more threads."""
    monkeypatch.setenv("WANDB_MODE", "offline")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def options(line: str, packed: Path, logs: Path) -> list[str]:
    return [*line.split(), "--processed", str(packed), "--log_dir", str(logs)]


def rows(path: Path) -> list[dict]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def run(arguments: list[str]) -> tuple[int, str]:
    """Run the command; return its exit status and what it printed."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed), pytest.raises(SystemExit) as ended:
        main(arguments)
    return ended.value.code, printed.getvalue()


# --- a run


@pytest.fixture(scope="module")
def lab_run(packed, tmp_path_factory):
    logs = tmp_path_factory.mktemp("logs")
    status, said = run([*options(LAB_LINE, packed, logs), *SMALL])
    return status, said, logs / "version_0"


def test_the_command_of_the_lab_runs_on_the_cpu_and_ends_with_its_metrics(lab_run):
    status, said, _ = lab_run
    assert status == 0, said
    assert "--precision 16" in said, "it warns that it computes in 32 bits"
    for name in ("train/loss", "validation/loss", "validation/cer", "test/loss", "test/cer", "test/wer"):
        assert re.search(rf"^{name}: \d+\.\d+$", said, re.MULTILINE), name


def test_a_run_leaves_checkpoints_a_row_per_epoch_and_a_report(lab_run):
    folder = lab_run[2]
    assert {path.name for path in folder.iterdir()} >= {
        "last.ckpt",
        "best.ckpt",
        "curve.csv",
        "report.html",
        "experiment.json",
    }
    (row,) = rows(folder / "curve.csv")
    assert (row["epoch"], row["step"]) == ("0", "2")
    assert float(row["validation/cer"]) >= 0
    report = (folder / "report.html").read_text(encoding="utf-8")
    assert "<svg" in report
    assert "test/cer" in report
    assert not re.search(r"(?:src|href)\s*=|https?://|@import", report), "it needs no network"


@pytest.mark.slow
def test_a_run_can_start_from_the_checkpoint_of_another(lab_run, packed, tmp_path):
    checkpoint = str(lab_run[2] / "best.ckpt")
    line = [*options(LAB_LINE, packed, tmp_path), *SMALL, "--load_checkpoint", checkpoint, "--fast_dev_run"]
    assert run(line)[0] == 0
    status, said = run([*line, "--tf_dim", "64"])
    assert status == 1
    assert "embedding.weight: (84, 32) in the file, (84, 64) in the model" in said


def test_a_file_without_weights_is_refused_by_name(packed, tmp_path):
    wrong = tmp_path / "weights.ckpt"
    wrong.write_text("not weights", encoding="utf-8")
    with pytest.raises(ModelError) as refused:
        experiment([*options(LINES, packed, tmp_path), "--load_checkpoint", str(wrong)])
    assert str(wrong) in refused.value.what


def test_help_shows_the_arguments_by_group(capsys):
    with pytest.raises(SystemExit):
        experiment(["--model_class", "LineCNN", "--loss", "ctc", "--help"])
    text = capsys.readouterr().out
    groups = ["Experiment:", "Trainer Args:", "Data Args:", "Model Args:", "LitModel Args:"]
    assert [text.index(group) for group in groups] == sorted(text.index(group) for group in groups)
    assert "--window_width" in text
    assert "--tf_dim" not in text


@pytest.mark.slow
def test_a_single_batch_is_overfitted(packed, tmp_path):
    line = (
        "--model_class ResnetTransformer --loss transformer --gpus=0 --batch_size 2 --overfit_batches 1 "
        "--max_epochs 60 --check_val_every_n_epoch 60 --tf_dropout 0 --optimizer AdamW --lr 0.001 --schedule cosine "
        "--gradient_clip_val 1 --tf_dim 128 --tf_fc_dim 128 --tf_layers 1"
    )
    assert experiment(options(line, packed, tmp_path))["validation/cer"] == 0


def test_a_second_run_in_one_process_makes_a_folder_of_its_own(packed, tmp_path):
    line = [*options(LINES, packed, tmp_path), "--max_epochs", "1", "--limit_test_batches", "0"]
    for number in range(2):
        experiment(line)
        assert len(rows(tmp_path / f"version_{number}" / "curve.csv")) == 1
    assert not [name for name in os.environ if name.startswith("TEXT_RECOGNIZER")]


# --- options

PLAIN = LINES.replace("--ema_decay 0.9 --schedule cosine --augment 0.5", "--augment 0 --fc_dropout 0")


def test_gradients_accumulated_over_three_batches_are_those_of_one_large_batch(packed, tmp_path):
    line = [*options(PLAIN, packed, tmp_path), "--limit_test_batches", "0"]
    experiment([*line, "--batch_size", "3"])
    experiment([*line, "--batch_size", "1", "--accumulate_grad_batches", "3"])
    whole, parts = (torch.load(tmp_path / f"version_{n}" / "last.ckpt", weights_only=False) for n in (0, 1))
    assert whole["global_step"] == parts["global_step"] == 8
    for name, value in whole["state_dict"].items():
        assert torch.allclose(value, parts["state_dict"][name], atol=1e-5), name


def test_a_run_stops_early_if_the_loss_no_longer_falls(packed, tmp_path):
    line = [*options(PLAIN, packed, tmp_path), "--lr", "1e-12", "--max_epochs", "9", "--stop_early", "2"]
    experiment(line)
    assert len(rows(tmp_path / "version_0" / "curve.csv")) == 3


@pytest.mark.slow
def test_a_learning_rate_is_found_and_used(packed, tmp_path, capsys):
    metrics = experiment([*options(LINES, packed, tmp_path), "--auto_lr_find", "--lr", "1e-9", "--max_epochs", "8"])
    rate = float(re.search(r"learning rate (\S+)", capsys.readouterr().out)[1])
    curve = rows(tmp_path / "version_0" / "curve.csv")
    assert 1e-4 < rate < 0.2
    assert metrics["train/loss"] < 0.9 * float(curve[0]["train/loss"])


def test_a_profile_holds_a_trace_of_the_steps(packed, tmp_path):
    experiment([*options(LINES, packed, tmp_path), "--profile", "--batch_size", "1", "--max_epochs", "1"])
    traces = [path for path in (tmp_path / "version_0").glob("fit-*.json") if "training_step" in path.name]
    assert "aten::conv2d" in {event.get("name") for event in json.loads(traces[0].read_bytes())["traceEvents"]}


@pytest.mark.slow
def test_an_offline_run_is_complete_and_ready_to_sync(packed, read_record, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    experiment([*options(LINES, packed, tmp_path), "--wandb", "--max_epochs", "1"])
    (record,) = tmp_path.glob("wandb/offline-run-*/run-*.wandb")
    written = read_record(record, b"test/cer")
    for name in (b"model_class", b"train/gradient_norm", b"validation/cer", b"test/cer", b"megabytes", b"true: to sea"):
        assert name in written, name
    pictures = list(record.parent.glob("files/media/images/validation/*.png"))
    assert len(pictures) == 2
    assert all(Image.open(picture).size == (128, 64) for picture in pictures)
    sync = [sys.executable, "-m", "wandb", "sync", "--dry-run"]
    done = subprocess.run(sync, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0
    assert record.name in done.stderr + done.stdout


# --- killed and resumed


@pytest.fixture(scope="module")
def uninterrupted(packed, tmp_path_factory):
    logs = tmp_path_factory.mktemp("uninterrupted")
    experiment(options(LINES, packed, logs))
    return logs / "version_0"


# Waits in the middle of its third epoch, so that the kill comes at that moment on any machine.
CHILD = """
import sys, time
from text_recognizer.lit_models import CTCLitModel
step = CTCLitModel.training_step
def slow(lit, batch, number):
    if lit.current_epoch == 2 and number == 1:
        print("in the third epoch", flush=True)
        time.sleep(600)
    return step(lit, batch, number)
CTCLitModel.training_step = slow
from text_recognizer.training.run_experiment import main
main(sys.argv[1:])
"""


@pytest.fixture(scope="module")
def killed(packed, tmp_path_factory):
    logs = tmp_path_factory.mktemp("killed")
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", CHILD, *options(LINES, packed, logs)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as child:
        reached = any("in the third epoch" in line for line in child.stdout)
        child.kill()
    assert (reached, child.returncode) == (True, -signal.SIGKILL)
    return logs / "version_0"


@pytest.mark.slow
def test_a_killed_run_resumes_to_the_same_weights_and_curve_bit_for_bit(uninterrupted, killed):
    assert len(rows(killed / "curve.csv")) == 2
    experiment(["--resume", str(killed)])
    ends = [torch.load(folder / "last.ckpt", weights_only=False)["state_dict"] for folder in (uninterrupted, killed)]
    assert ends[0].keys() == ends[1].keys()
    assert [name for name in ends[0] if not torch.equal(ends[0][name], ends[1][name])] == []
    assert (killed / "curve.csv").read_bytes() == (uninterrupted / "curve.csv").read_bytes()


def test_resuming_with_other_arguments_is_refused_by_argument(uninterrupted):
    with pytest.raises(ConfigError) as refused:
        experiment(["--resume", str(uninterrupted), "--lr", "0.1"])
    assert "--lr was 0.01 and is now 0.1" in refused.value.what


def test_resuming_on_other_data_is_refused(printed_split, packed, tmp_path):
    own = shutil.copytree(packed, tmp_path / "own")
    experiment([*options(LINES, own, tmp_path), "--max_epochs", "1"])
    printed_split([("to be",)] * 6).save(own, "train")
    with pytest.raises(ConfigError) as refused:
        experiment(["--resume", str(tmp_path / "version_0")])
    assert "data" in refused.value.what
    assert str(tmp_path / "version_0") in refused.value.what


def test_resuming_a_folder_without_a_run_is_refused_by_name(tmp_path):
    with pytest.raises(ConfigError) as refused:
        experiment(["--resume", str(tmp_path)])
    assert str(tmp_path) in refused.value.what


# --- what it refuses


@pytest.mark.parametrize(
    ("line", "suggestion"),
    [
        ("--data_class IAMParagraph", "IAMParagraphs"),
        ("--model_class ResNetTransformer", "ResnetTransformer"),
        ("--model_class LineReader", "text-recognizer train"),
    ],
)
def test_a_class_that_cannot_be_trained_is_refused_with_a_suggestion(line, suggestion):
    status, said = run(line.split())
    assert status == 1
    assert suggestion in said


def test_a_gpu_that_does_not_exist_is_refused(packed, tmp_path, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(ConfigError) as refused:
        experiment([*options(LINES.replace("--gpus=0", "--gpus=1"), packed, tmp_path)])
    assert "--gpus=0" in refused.value.fix
