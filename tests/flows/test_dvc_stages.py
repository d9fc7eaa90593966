"""A stage is brought up to date by DVC: its output, its outcome, its message and its exit status are passed on."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flows.dvc_stages import (
    RAN,
    RESTORED,
    RESUMES,
    UP_TO_DATE,
    StageError,
    exit_status,
    failure_message,
    pipeline,
    run_stage,
)
from text_recognizer.cli.stage_commands import STAGES
from text_recognizer.core.errors import TEMPORARY, ConfigError

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


def ignore(_line):
    """Ignore a line of the output."""


def test_stages_are_ordered_by_their_dependencies_and_not_by_the_file(make_project):
    project = make_project(
        {
            "last": {"cmd": "true", "deps": ["b"]},
            "middle": {"cmd": "cp a b", "deps": ["a"], "outs": ["b"]},
            "first": {"cmd": "echo > a", "outs": ["a"]},
        }
    )
    steps = pipeline(project)
    assert [step.name for step in steps] == ["first", "middle", "last"]
    assert [sorted(step.upstream) for step in steps] == [[], ["first"], ["first", "middle"]]


@pytest.mark.slow
def test_a_stage_has_changed_until_it_has_run_and_again_after_a_change(make_project):
    project = make_project({"one": {"cmd": "cp source a", "deps": ["source"], "outs": ["a"]}})
    (project / "source").write_text("made")
    changed = [pipeline(project)[0].changed]
    run_stage("one", project, ignore)
    changed.append(pipeline(project)[0].changed)
    (project / "source").write_text("made again")
    assert [*changed, pipeline(project)[0].changed] == [True, False, True]


@pytest.mark.slow
def test_a_stage_that_is_forced_runs_although_it_is_up_to_date(make_project):
    project = make_project({"one": {"cmd": "echo run >> ran; echo > a", "outs": ["a"]}})
    assert [run_stage("one", project, ignore), run_stage("one", project, ignore, force=True)] == [RAN, RAN]
    assert (project / "ran").read_text().split() == ["run", "run"]


def test_the_stages_of_the_project_are_in_the_order_of_their_commands():
    assert [step.name for step in pipeline(ROOT)] == list(STAGES)


def test_a_folder_without_dvc_is_named(tmp_path):
    with pytest.raises(ConfigError) as caught:
        pipeline(tmp_path)
    assert str(tmp_path) in caught.value.what


def test_a_damaged_dvc_yaml_is_refused_with_the_message_of_dvc(make_project):
    project = make_project({"one": {"cmd": "true", "outputs": ["a"]}})
    with pytest.raises(ConfigError) as caught:
        pipeline(project)
    assert "dvc.yaml" in caught.value.what


@pytest.mark.slow
def test_the_output_of_a_stage_is_logged_line_by_line_without_the_advice_of_dvc(make_project):
    project = make_project({"one": {"cmd": "printf 'hello\\n\\r10%%\\r100%%\\n' && echo > a", "outs": ["a"]}})
    logged: list[str] = []
    run_stage("one", project, logged.append)
    assert [text for text in logged if text in ("hello", "10%", "100%")] == ["hello", "100%"]
    assert not [text for text in logged if "git add" in text or "dvc push" in text]


@pytest.mark.slow
def test_a_stage_runs_once_then_is_up_to_date_and_is_restored_from_the_cache(make_project):
    project = make_project({"one": {"cmd": "cp source a", "deps": ["source"], "outs": ["a"]}})
    (project / "source").write_text("made")
    outcomes = [run_stage("one", project, ignore), run_stage("one", project, ignore)]
    (project / "a").unlink()
    (project / "dvc.lock").unlink()
    assert [*outcomes, run_stage("one", project, ignore)] == [RAN, UP_TO_DATE, RESTORED]


@pytest.mark.slow
def test_only_the_named_stage_runs(make_project):
    project = make_project({"one": {"cmd": "echo > a", "outs": ["a"]}, "two": {"cmd": "echo > b", "outs": ["b"]}})
    run_stage("two", project, ignore)
    assert sorted(path.name for path in project.glob("?")) == ["b"]


@pytest.mark.slow
def test_a_stage_finds_the_commands_of_this_environment_first(make_project):
    project = make_project({"one": {"cmd": "command -v python > a", "outs": ["a"]}})
    run_stage("one", project, ignore)
    assert (project / "a").read_text().strip() == str(Path(sys.executable).parent / "python")


@pytest.mark.slow
def test_the_error_of_a_failed_stage_has_its_own_message(make_project):
    cmd = "echo chatter; echo 'text-recognizer one: the page is blank' >&2; echo '  fix - scan it again' >&2; exit 1"
    project = make_project({"one": {"cmd": cmd}})
    with pytest.raises(StageError) as caught:
        run_stage("one", project, ignore)
    assert caught.value.what.splitlines()[1:] == ["text-recognizer one: the page is blank", "  fix - scan it again"]
    assert caught.value.exit_status == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "status"),
    [
        (f"exit {TEMPORARY}", TEMPORARY),
        (["true", "exit 3"], 3),
        ("echo 'ERROR: failed to reproduce it, exited with 75'\nexit 4", 4),
    ],
    ids=["temporary", "second command", "misleading output"],
)
def test_the_error_of_a_failed_stage_has_the_exit_status_of_its_command(make_project, command, status):
    project = make_project({"one": {"cmd": command}})
    with pytest.raises(StageError) as caught:
        run_stage("one", project, ignore)
    assert caught.value.exit_status == status


@pytest.mark.slow
@pytest.mark.parametrize("command", ["kill -9 $$", "sh -c 'kill -9 $$'; exit $?"], ids=["itself", "by its shell"])
def test_a_stage_that_is_killed_is_named_as_that_and_says_what_the_next_run_does(make_project, command):
    project = make_project({"train": {"cmd": command}})
    with pytest.raises(StageError) as caught:
        run_stage("train", project, ignore)
    assert (caught.value.stage, caught.value.stopped_by, caught.value.exit_status) == ("train", signal.SIGKILL, 1)
    assert caught.value.fix == RESUMES["train"]


@pytest.mark.slow
def test_what_dvc_itself_refuses_has_the_message_of_dvc_and_is_not_temporary(make_project):
    project = make_project({"one": {"cmd": "true", "deps": ["nowhere.txt"]}})
    with pytest.raises(StageError) as caught:
        run_stage("one", project, ignore)
    assert "nowhere.txt" in caught.value.what
    assert caught.value.exit_status == 1


def test_a_failure_without_a_message_is_quoted_by_its_last_lines_and_the_message_of_dvc():
    dvc = "failed to reproduce 'one': failed to run: boom, exited with 7"
    lines = ["Running stage 'one':", "> boom", *map(str, range(100)), f"ERROR: {dvc}"]
    assert failure_message("one", lines).splitlines() == [*map(str, range(85, 100)), dvc]
    assert exit_status(lines) == 7


@pytest.mark.parametrize("lines", [[], ["> boom"], ["ERROR: unexpected error"], ["exited with 75"]], ids=str)
def test_output_that_names_no_exit_status_is_not_a_temporary_failure(lines):
    assert exit_status(lines) == 1


# A shell starts background jobs with SIGINT ignored, and pytest may be one: restore the handler.
INTERRUPTED = """
import signal
from pathlib import Path
signal.signal(signal.SIGINT, signal.default_int_handler)
from flows.dvc_stages import run_stage
run_stage("one", Path.cwd(), print)
"""
STAGE = """
import os, signal, subprocess, sys, pathlib
helper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
pathlib.Path("pids").write_text(f"{os.getpid()} {helper.pid}")
pathlib.Path("up").touch()
try:
    signal.pause()
except KeyboardInterrupt:
    pathlib.Path("cleaned").touch()
"""


@pytest.mark.slow
def test_an_interrupted_stage_cleans_up_and_leaves_no_process(make_project):
    # Given a running stage that has started a process
    project = make_project({"one": {"cmd": "python stage.py", "outs": ["a"]}})
    (project / "stage.py").write_text(STAGE)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.Popen([sys.executable, "-c", INTERRUPTED], cwd=project, env=environment, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 60
    while not (project / "up").exists():
        assert time.monotonic() < end, "the stage did not start"
        time.sleep(0.05)
    # When the process that runs the stage is interrupted
    run.send_signal(signal.SIGINT)
    run.wait(60)
    # Then the stage cleaned up, and it and its process have ended
    assert (project / "cleaned").exists()
    pids = [int(pid) for pid in (project / "pids").read_text().split()]
    stats = [Path(f"/proc/{pid}/stat") for pid in pids]
    assert not [stat for stat in stats if stat.exists() and ") Z " not in stat.read_text()]
