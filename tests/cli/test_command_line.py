"""What the command line gives a person: output, a message instead of a traceback, and an exit status."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from text_recognizer import __version__
from text_recognizer.cli.extras import EXTRAS
from text_recognizer.cli.stage_commands import STAGES
from text_recognizer.core import layout
from text_recognizer.utils.files import sha256

ROOT = Path(__file__).resolve().parents[2]
HEAVY = {"torch", "numpy", "pandas", "prefect", "great_expectations", "bentoml", "pytorch_lightning", "onnxruntime"}
# A child of a shell's background job ignores SIGINT. Restore the handler that a terminal's foreground job has.
AS_IN_A_TERMINAL = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from text_recognizer.cli import main
main(sys.argv[1:])
"""
IMPORTED_BY_HELP = """
import contextlib, sys
from text_recognizer.cli import main
with contextlib.suppress(SystemExit):
    main(["--help"])
print("IMPORTED", *sys.modules)
"""


@pytest.fixture
def folder(tmp_path):
    """A working folder that holds the shipped parameters and nothing else."""
    shutil.copy(ROOT / "params.yaml", tmp_path)
    return tmp_path


@pytest.fixture
def pages(folder):
    """Two pictures of a printed line, and between them a file that is not a picture."""
    paths = [folder / name for name in ("one.png", "broken.png", "two.png")]
    for number, path in enumerate(paths):
        picture = Image.new("L", (400, 150), 245)
        text = ("the table", "a white cloth", "was covered")[number]
        ImageDraw.Draw(picture).text((40, 45), text, font=ImageFont.load_default(44), fill=30)
        picture.save(path)
    paths[1].write_bytes(b"not a picture")
    return paths


def files_in(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def child(*arguments, cwd):
    return subprocess.run(arguments, cwd=cwd, capture_output=True, text=True, check=False)


def test_help_names_every_command_and_imports_nothing_heavy(tmp_path):
    done = child(sys.executable, "-c", IMPORTED_BY_HELP, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    shown, imported = done.stdout.split("IMPORTED")
    assert [name for name in (*STAGES, "read", "score", "serve", "params") if name not in shown] == []
    assert {name.split(".")[0] for name in imported.split()} & HEAVY == set()


def test_the_version_is_the_package_s(command):
    assert command("--version")[:2] == (0, f"{__version__}\n")


def test_the_package_runs_as_a_module(tmp_path):
    done = child(sys.executable, "-m", "text_recognizer", "--version", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"{__version__}\n")


@pytest.mark.parametrize("name", [*STAGES, "read", "score", "serve", "params"])
def test_each_command_explains_itself(command, name):
    status, out, _ = command(name, "--help")
    assert status == 0
    assert out.startswith(f"usage: text-recognizer {name}")


def test_an_unknown_command_is_refused_with_the_known_ones(command):
    status, out, err = command("raed")
    assert (status, out) == (2, "")
    assert "'raed'" in err
    assert "preprocess" in err


def test_no_command_is_refused_with_the_usage(command):
    status, _, err = command()
    assert status == 2
    assert err.startswith("usage: text-recognizer")


def test_params_lists_every_parameter(command):
    status, out, err = command("params")
    assert (status, err) == (0, "")
    assert re.search(r"^train\.steps = \d+: int >= 1", out, re.MULTILINE)
    assert len(out.splitlines()) == len(re.findall(r"^  \w+:", (ROOT / "params.yaml").read_text(), re.MULTILINE))


def test_a_stage_with_a_wrong_parameter_says_so_and_writes_nothing(command, folder):
    text = (folder / "params.yaml").read_text(encoding="utf-8")
    (folder / "params.yaml").write_text(
        re.sub(r"^  steps: \d+$", "  steps: -1", text, flags=re.MULTILINE), encoding="utf-8"
    )
    before = files_in(folder)
    status, out, err = command("preprocess")
    assert (status, out) == (1, "")
    assert err.startswith("text-recognizer preprocess: params.yaml: train.steps = -1")
    assert "\n  fix: " in err
    assert err.endswith("\n  code: config\n")
    (folder / ".cache/locks/preprocess.lock").unlink()  # it is empty, and free
    assert files_in(folder) == before


def test_a_stage_without_its_input_names_the_stage_that_makes_it(command):
    status, _, err = command("preprocess")
    assert status == 1
    assert "data/raw/synthetic.zip" in err
    assert "text-recognizer fetch" in err


def test_read_prints_the_text_of_each_picture(command, pages):
    first, _, second = pages
    status, out, err = command("read", first, second, "--printed")
    assert (status, err) == (0, "")
    assert out == "the table\nwas covered\n"


def test_read_continues_after_a_broken_picture_and_names_it(command, pages):
    status, out, err = command("read", *pages, "--json")
    assert status == 1
    assert [json.loads(line)["picture"] for line in out.splitlines()] == [str(pages[0]), str(pages[2])]
    assert "broken.png" in err
    assert "one.png" not in err


def test_read_prints_json_with_boxes_on_the_picture_and_the_model_s_digest(command, pages):
    _, out, _ = command("read", pages[0], "--printed", "--json")
    answer = json.loads(out)
    assert {"picture", "text", "confidence", "lines", "model", "runtime"} - set(answer) == set()
    assert answer["model"] == sha256(layout.pretrained_model() / "reader.json")
    assert answer["text"] == "\n".join(line["text"] for line in answer["lines"])
    assert answer["lines"]
    for x, y, width, height in (line["box"] for line in answer["lines"]):
        assert min(x, y) >= 0
        assert x + width <= 400
        assert y + height <= 150


def test_read_without_a_model_says_what_is_missing(command, folder, pages):
    status, out, err = command("read", pages[0], "--model", folder / "nowhere")
    assert (status, out) == (1, "")
    assert "nowhere/reader.json" in err


@pytest.fixture
def scored(small_archive, tmp_path_factory):
    return small_archive.save(tmp_path_factory.mktemp("archive") / "forms.zip")


def test_score_writes_its_figures_and_touches_nothing_else(command, exported, scored, folder):
    before = files_in(folder) | files_in(exported) | files_in(scored.parent)
    out = folder / "figures" / "score.json"
    status, said, _ = command(
        "score", "--archive", scored, "--split", "lwitlrt/test", "--model", exported, "--json", out
    )
    assert status == 0
    assert said.startswith("CER ")
    score = json.loads(out.read_text(encoding="utf-8"))
    wanted = {"cer", "cer_newlines", "wer", "cer_interval", "pages", "characters", "seconds", "model"}
    assert wanted - set(score) == set()
    assert score["pages"] == 1
    assert score["characters"] == len("to be or not")
    after = files_in(folder) | files_in(exported) | files_in(scored.parent)
    assert after.pop(out)
    assert after == before


@pytest.mark.parametrize("place", ["kept", "params.yaml/score.json"])
def test_score_with_an_output_that_cannot_be_written_prints_the_figures_and_destroys_nothing(
    command, exported, scored, folder, place
):
    # Given a folder with a file
    (folder / "kept").mkdir()
    (folder / "kept" / "work.txt").write_text("old")
    before = files_in(folder)
    # When the figures are to replace the folder, or lie below a file
    status, out, err = command(
        "score", "--archive", scored, "--split", "lwitlrt/test", "--model", exported, "--json", folder / place
    )
    # Then the command names the place, prints the figures, and the file is still there
    assert status == 1
    assert out.startswith("CER ")
    assert place.split("/")[0] in err
    assert files_in(folder) == before


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_command_exits_with_130_and_one_line(tmp_path, sent):
    # Given a command that waits for its parameters on a pipe
    os.mkfifo(tmp_path / "params.yaml")
    waiting = subprocess.Popen(
        [sys.executable, "-c", AS_IN_A_TERMINAL, "params"], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    pipe = wait_for_reader(tmp_path / "params.yaml", waiting)
    # When it is interrupted
    waiting.send_signal(sent)
    _, err = waiting.communicate(timeout=60)
    os.close(pipe)
    # Then it exits as shells expect, with one line
    assert waiting.returncode == 130
    assert err == "text-recognizer params: interrupted; repeat the command to resume\n"


def wait_for_reader(pipe, process):
    """Open the pipe for writing, which succeeds once the process has opened it for reading."""
    while process.poll() is None:
        with contextlib.suppress(OSError):
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        time.sleep(0.02)
    return pytest.fail(process.stderr.read())


def test_a_closed_pipe_ends_the_command_without_a_message(folder):
    # Given a pipe whose reader has ended, as after `| head`
    read_end, write_end = os.pipe()
    os.close(read_end)
    # When a command prints to it
    done = subprocess.run(
        [sys.executable, "-m", "text_recognizer", "params"],
        cwd=folder, stdout=write_end, stderr=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    os.close(write_end)
    # Then it prints no message
    assert (done.returncode, done.stderr) == (1, "")


# --- the extras

ONLY_READING = f"""
import sys
for name in {[name for names in EXTRAS.values() for name in names]}:
    sys.modules[name] = None  # importing it raises ModuleNotFoundError
from text_recognizer.cli import main
main(sys.argv[1:])
"""


@pytest.mark.slow
def test_reading_needs_no_package_of_an_extra(pages):
    done = child(sys.executable, "-c", ONLY_READING, "read", pages[0], "--printed", cwd="/")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
def test_scoring_needs_no_package_of_an_extra(exported, scored, tmp_path):
    wanted = ("--archive", scored, "--split", "lwitlrt/test", "--model", exported)
    done = child(sys.executable, "-c", ONLY_READING, "score", *wanted, cwd=tmp_path)
    assert (done.returncode, done.stdout[:4]) == (0, "CER "), done.stderr


@pytest.mark.parametrize(("name", "extra"), [("train", "train"), ("validate", "pipeline"), ("serve", "serve")])
@pytest.mark.slow
def test_a_command_names_the_extra_that_it_needs(folder, small_archive, name, extra):
    (folder / "data/raw").mkdir(parents=True)
    small_archive.save(folder / "data/raw/synthetic.zip")
    done = child(sys.executable, "-c", ONLY_READING, name, cwd=folder)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"text-recognizer[{extra}]" in done.stderr
    assert "Traceback" not in done.stderr


def test_cropping_on_dask_needs_the_flows_of_a_clone(command, folder):
    text = (folder / "params.yaml").read_text(encoding="utf-8")
    text = re.sub(r"^  runner: \w+", "  runner: dask", text, flags=re.MULTILINE)
    text = re.sub(r"^  scheduler: \w+", "  scheduler: tcp://127.0.0.1:8786", text, flags=re.MULTILINE)
    (folder / "params.yaml").write_text(text, encoding="utf-8")
    status, _, err = command("preprocess")
    assert status == 1
    assert "flows/" in err
    assert "runtime.runner" in err


@pytest.mark.parametrize(
    "arguments",
    [("calibrate", "--archive", "forms.zip", "--split", "aachen/validation"), ("card",)],
    ids=lambda a: a[0],
)
def test_a_command_that_writes_into_a_model_refuses_that_of_the_installed_package(command, arguments, monkeypatch):
    folders = (layout.pretrained_model(), layout.pretrained_model())
    monkeypatch.setattr(layout, "PRETRAINED_FOLDERS", folders)
    before = {path: path.read_bytes() for path in folders[0].iterdir()}
    status, _, said = command(*arguments)
    assert status == 1
    assert "--model FOLDER" in said
    assert {path: path.read_bytes() for path in folders[0].iterdir()} == before
