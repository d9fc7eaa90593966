"""The lab's command: its own line, its files, going on after a kill, and what it refuses."""

import contextlib
import csv
import io
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image

from text_recognizer.errors import ConfigError, ModelError
from text_recognizer.training.run_experiment import experiment, main

ROOT = Path(__file__).resolve().parents[2]
LAB_LINE = (
    "--data_class IAMParagraphs --model_class ResnetTransformer --loss transformer --gpus=0 --batch_size 4 "
    "--precision 16 --limit_train_batches 10 --limit_test_batches 1 --limit_val_batches 2"
)
SMALL = ["--tf_dim", "32", "--tf_fc_dim", "64", "--tf_layers", "1", "--num_workers", "0"]
LINES = (
    "--data_class IAMParagraphs --model_class LineCNN --loss ctc --gpus=0 --conv_dim 2 --fc_dim 8 --lr 0.01 "
    "--batch_size 2 --max_epochs 4 --average 0.9 --schedule cosine --augment 0.5 --seed 5"
)


@pytest.fixture(scope="module")
def pages(printed_split, tmp_path_factory):
    """A packed corpus of print with all three splits."""
    folder = tmp_path_factory.mktemp("pages")
    printed_split([("to be",), ("a sea",), ("of ink",), ("the cat",), ("sat on",), ("and so",)]).save(folder, "train")
    printed_split([("to sea",), ("a pen",)]).save(folder, "validation")
    printed_split([("the sea",), ("a cat",)]).save(folder, "test")
    return folder


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    """Nothing waits for a server; and work this small only waits for more threads."""
    monkeypatch.setenv("WANDB_MODE", "offline")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def options(line: str, pages: Path, logs: Path) -> list[str]:
    return [*line.split(), "--processed", str(pages), "--log_dir", str(logs)]


def rows(path: Path) -> list[dict]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def run(arguments: list[str]) -> tuple[int, str]:
    """The command's exit status and what it said."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said), pytest.raises(SystemExit) as left:
        main(arguments)
    return left.value.code, said.getvalue()


# --- a run


@pytest.fixture(scope="module")
def lab_run(pages, tmp_path_factory):
    logs = tmp_path_factory.mktemp("logs")
    status, said = run([*options(LAB_LINE, pages, logs), *SMALL])
    return status, said, logs / "version_0"


def test_the_line_of_the_lab_runs_on_the_cpu_and_ends_with_its_figures(lab_run):
    status, said, _ = lab_run
    assert status == 0, said
    assert "--precision 16 needs a GPU" in said
    for name in ("train/loss", "validation/loss", "validation/cer", "test/loss", "test/cer", "test/wer"):
        assert re.search(rf"^{name}: \d+\.\d+$", said, re.MULTILINE), name


def test_a_run_leaves_checkpoints_a_row_a_round_and_a_report(lab_run):
    folder = lab_run[2]
    assert {path.name for path in folder.iterdir()} >= {
        "last.ckpt",
        "best.ckpt",
        "curve.csv",
        "report.html",
        "run.json",
    }
    (row,) = rows(folder / "curve.csv")
    assert (row["epoch"], row["step"]) == ("0", "2")
    assert float(row["validation/cer"]) >= 0
    report = (folder / "report.html").read_text(encoding="utf-8")
    assert "<svg" in report
    assert "test/cer" in report
    assert not re.search(r"(?:src|href)\s*=|https?://|@import", report), "it needs no network"


def test_its_checkpoint_starts_another_run(lab_run, pages, tmp_path):
    checkpoint = str(lab_run[2] / "best.ckpt")
    line = [*options(LAB_LINE, pages, tmp_path), *SMALL, "--load_checkpoint", checkpoint, "--fast_dev_run"]
    assert run(line)[0] == 0
    status, said = run([*line, "--tf_dim", "64"])
    assert status == 1
    assert "embedding.weight: (84, 32) in the file, (84, 64) in the model" in said


def test_a_file_that_is_no_checkpoint_is_refused(pages, tmp_path):
    wrong = tmp_path / "weights.ckpt"
    wrong.write_text("not weights", encoding="utf-8")
    with pytest.raises(ModelError, match="no checkpoint"):
        experiment([*options(LINES, pages, tmp_path), "--load_checkpoint", str(wrong)])


def test_help_shows_the_arguments_by_group(capsys):
    with pytest.raises(SystemExit):
        experiment(["--model_class", "LineCNN", "--loss", "ctc", "--help"])
    text = capsys.readouterr().out
    groups = ["Experiment:", "Trainer Args:", "Data Args:", "Model Args:", "LitModel Args:"]
    assert [text.index(group) for group in groups] == sorted(text.index(group) for group in groups)
    assert "--window_width" in text
    assert "--tf_dim" not in text


def test_one_batch_is_learnt_by_heart(pages, tmp_path):
    line = (
        "--model_class ResnetTransformer --loss transformer --gpus=0 --batch_size 2 --overfit_batches 1 "
        "--max_epochs 90 --check_val_every_n_epoch 90 --tf_dropout 0 --optimizer AdamW --lr 0.001 --schedule cosine "
        "--gradient_clip_val 1 --tf_dim 64 --tf_fc_dim 128 --tf_layers 2"
    )
    assert experiment(options(line, pages, tmp_path))["validation/cer"] == 0


def test_a_second_run_in_one_process_makes_a_folder_of_its_own(pages, tmp_path):
    line = [*options(LINES, pages, tmp_path), "--max_epochs", "1", "--limit_test_batches", "0"]
    for number in range(2):
        experiment(line)
        assert len(rows(tmp_path / f"version_{number}" / "curve.csv")) == 1
    assert not [name for name in os.environ if name.startswith("TEXT_RECOGNIZER")]


# --- what it may do besides

PLAIN = LINES.replace("--average 0.9 --schedule cosine --augment 0.5", "--augment 0 --fc_dropout 0")


def test_gradients_that_are_accumulated_over_three_batches_are_those_of_one_large_one(pages, tmp_path):
    line = [*options(PLAIN, pages, tmp_path), "--limit_test_batches", "0"]
    experiment([*line, "--batch_size", "3"])
    experiment([*line, "--batch_size", "1", "--accumulate_grad_batches", "3"])
    whole, parts = (torch.load(tmp_path / f"version_{n}" / "last.ckpt", weights_only=False) for n in (0, 1))
    assert whole["global_step"] == parts["global_step"] == 8
    for name, value in whole["state_dict"].items():
        assert torch.allclose(value, parts["state_dict"][name], atol=1e-5), name


def test_a_run_stops_early_where_the_loss_falls_no_more(pages, tmp_path):
    line = [*options(PLAIN, pages, tmp_path), "--lr", "1e-12", "--max_epochs", "9", "--stop_early", "2"]
    experiment(line)
    assert len(rows(tmp_path / "version_0" / "curve.csv")) == 3


def test_a_learning_rate_is_looked_for_and_trained_with(pages, tmp_path, capsys):
    figures = experiment([*options(LINES, pages, tmp_path), "--auto_lr_find", "--lr", "1e-9", "--max_epochs", "8"])
    rate = float(re.search(r"learning rate (\S+)", capsys.readouterr().out)[1])
    curve = rows(tmp_path / "version_0" / "curve.csv")
    assert 1e-4 < rate < 0.2
    assert figures["train/loss"] < 0.9 * float(curve[0]["train/loss"])


def test_a_profile_is_a_trace_of_the_steps(pages, tmp_path):
    experiment([*options(LINES, pages, tmp_path), "--profile", "--batch_size", "1", "--max_epochs", "1"])
    traces = [path for path in (tmp_path / "version_0").glob("fit-*.json") if "training_step" in path.name]
    assert "aten::conv2d" in {event.get("name") for event in json.loads(traces[0].read_bytes())["traceEvents"]}


def test_an_offline_run_is_whole_and_ready_to_be_sent(pages, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    experiment([*options(LINES, pages, tmp_path), "--wandb", "--max_epochs", "1"])
    (record,) = tmp_path.glob("wandb/offline-run-*/run-*.wandb")
    written = record.read_bytes()
    for name in (b"model_class", b"train/gradient_norm", b"validation/cer", b"test/cer", b"megabytes", b"true: to sea"):
        assert name in written, name
    pictures = list(record.parent.glob("files/media/images/validation/*.png"))
    assert len(pictures) == 2
    assert all(Image.open(picture).size == (128, 64) for picture in pictures)
    sync = [sys.executable, "-m", "wandb", "sync", "--dry-run"]
    done = subprocess.run(sync, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0
    assert record.name in done.stderr + done.stdout


# --- killed, and gone on with


@pytest.fixture(scope="module")
def undisturbed(pages, tmp_path_factory):
    logs = tmp_path_factory.mktemp("undisturbed")
    experiment(options(LINES, pages, logs))
    return logs / "version_0"


# Waits in the middle of its third round, so that the kill finds it there on any machine.
CHILD = """
import sys, time
from text_recognizer.lit_models import CTCLitModel
step = CTCLitModel.training_step
def slow(lit, batch, number):
    if lit.current_epoch == 2 and number == 1:
        print("in the third round", flush=True)
        time.sleep(600)
    return step(lit, batch, number)
CTCLitModel.training_step = slow
from text_recognizer.training.run_experiment import main
main(sys.argv[1:])
"""


@pytest.fixture(scope="module")
def killed(pages, tmp_path_factory):
    logs = tmp_path_factory.mktemp("killed")
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", CHILD, *options(LINES, pages, logs)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as child:
        reached = any("in the third round" in line for line in child.stdout)
        child.kill()
    assert (reached, child.returncode) == (True, -signal.SIGKILL)
    return logs / "version_0"


def test_a_killed_run_goes_on_to_the_same_weights_and_curves_bit_for_bit(undisturbed, killed):
    assert len(rows(killed / "curve.csv")) == 2
    experiment(["--resume", str(killed)])
    ends = [torch.load(folder / "last.ckpt", weights_only=False)["state_dict"] for folder in (undisturbed, killed)]
    assert ends[0].keys() == ends[1].keys()
    assert [name for name in ends[0] if not torch.equal(ends[0][name], ends[1][name])] == []
    assert (killed / "curve.csv").read_bytes() == (undisturbed / "curve.csv").read_bytes()


def test_other_parameters_are_refused_by_name(undisturbed):
    with pytest.raises(ConfigError, match=r"--lr was 0\.01 and is now 0\.1"):
        experiment(["--resume", str(undisturbed), "--lr", "0.1"])


def test_other_data_are_refused(printed_split, pages, tmp_path):
    own = tmp_path / "own"
    own.mkdir()
    for file in pages.iterdir():
        (own / file.name).write_bytes(file.read_bytes())
    experiment([*options(LINES, own, tmp_path), "--max_epochs", "1"])
    printed_split([("to be",)] * 6).save(own, "train")
    with pytest.raises(ConfigError, match="data of the run"):
        experiment(["--resume", str(tmp_path / "version_0")])


def test_a_folder_without_a_run_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="no run was started"):
        experiment(["--resume", str(tmp_path)])


# --- what it refuses


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("--data_class IAMParagraph", "nearest is IAMParagraphs"),
        ("--model_class ResNetTransformer", "nearest is ResnetTransformer"),
        ("--model_class ParagraphReader", "text-recognizer train"),
    ],
)
def test_a_class_that_cannot_be_trained_is_refused(line, words):
    status, said = run(line.split())
    assert status == 1
    assert words in said


def test_a_gpu_that_is_not_there_is_refused(pages, tmp_path, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(ConfigError, match="torch finds none"):
        experiment([*options(LINES.replace("--gpus=0", "--gpus=1"), pages, tmp_path)])
