import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flows.stages import RAN, RESTORED, UP_TO_DATE, StageError, own_words, pipeline, run_stage
from text_recognizer.errors import ConfigError

ROOT = Path(__file__).parents[2]


def quiet(_line):
    """Where a test does not look at the output."""


def test_the_order_is_that_of_the_graph_and_not_of_the_file(make_project):
    project = make_project(
        {
            "last": {"cmd": "true", "deps": ["b"]},
            "middle": {"cmd": "cp a b", "deps": ["a"], "outs": ["b"]},
            "first": {"cmd": "echo > a", "outs": ["a"]},
        }
    )
    assert pipeline(project) == ["first", "middle", "last"]


def test_the_project_s_own_stages_are_written_in_the_order_in_which_they_run():
    assert pipeline(ROOT) == ["fetch", "validate", "preprocess", "train", "evaluate", "gate", "bundle"]


def test_a_folder_without_dvc_is_refused_by_name(tmp_path):
    with pytest.raises(ConfigError, match=str(tmp_path)):
        pipeline(tmp_path)


def test_a_broken_dvc_yaml_is_refused_with_what_dvc_says_of_it(make_project):
    project = make_project({"one": {"cmd": "true", "outputs": ["a"]}})
    with pytest.raises(ConfigError, match=r"dvc\.yaml"):
        pipeline(project)


def test_a_stage_s_output_comes_line_by_line_without_dvc_s_advice(make_project):
    project = make_project({"one": {"cmd": "printf 'hello\\n\\r10%%\\r100%%\\n' && echo > a", "outs": ["a"]}})
    said: list[str] = []
    run_stage("one", project, said.append)
    assert [text for text in said if text in ("hello", "10%", "100%")] == ["hello", "100%"]
    assert not [text for text in said if "git add" in text or "dvc push" in text]


def test_a_stage_runs_once_is_then_up_to_date_and_comes_back_from_the_cache(make_project):
    project = make_project({"one": {"cmd": "cp source a", "deps": ["source"], "outs": ["a"]}})
    (project / "source").write_text("made")
    outcomes = [run_stage("one", project, quiet), run_stage("one", project, quiet)]
    (project / "a").unlink()
    (project / "dvc.lock").unlink()
    assert [*outcomes, run_stage("one", project, quiet)] == [RAN, UP_TO_DATE, RESTORED]


def test_only_the_named_stage_is_run(make_project):
    project = make_project({"one": {"cmd": "echo > a", "outs": ["a"]}, "two": {"cmd": "echo > b", "outs": ["b"]}})
    run_stage("two", project, quiet)
    assert sorted(path.name for path in project.glob("?")) == ["b"]


def test_a_stage_finds_the_commands_of_this_environment_first(make_project):
    project = make_project({"one": {"cmd": "command -v python > a", "outs": ["a"]}})
    run_stage("one", project, quiet)
    assert (project / "a").read_text().strip() == str(Path(sys.executable).parent / "python")


def test_a_failing_stage_is_reported_in_its_own_words(make_project):
    cmd = "echo chatter; echo 'text-recognizer one: the page is blank' >&2; echo '  fix - scan it again' >&2; exit 1"
    project = make_project({"one": {"cmd": cmd}})
    with pytest.raises(StageError) as caught:
        run_stage("one", project, quiet)
    words = "the stage 'one' failed\ntext-recognizer one: the page is blank\n  fix - scan it again"
    assert str(caught.value) == words


def test_what_dvc_itself_refuses_is_reported_in_dvc_s_words(make_project):
    project = make_project({"one": {"cmd": "true", "deps": ["nowhere.txt"]}})
    with pytest.raises(StageError, match=r"nowhere\.txt"):
        run_stage("one", project, quiet)


def test_of_a_failure_without_a_message_the_last_lines_and_the_status_are_quoted():
    said = ["Running stage 'one':", "> boom", *map(str, range(100)), "ERROR: failed to reproduce: exited with 7"]
    words = own_words("one", said).splitlines()
    assert words == [*map(str, range(85, 100)), "failed to reproduce: exited with 7"]


INTERRUPTED = """
from pathlib import Path
from flows.stages import run_stage
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


def test_a_stage_that_is_interrupted_cleans_up_and_leaves_no_process(make_project):
    # Given a stage at work, with a process of its own
    project = make_project({"one": {"cmd": "python stage.py", "outs": ["a"]}})
    (project / "stage.py").write_text(STAGE)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.Popen([sys.executable, "-c", INTERRUPTED], cwd=project, env=environment, stderr=subprocess.DEVNULL)
    end = time.monotonic() + 60
    while not (project / "up").exists():
        assert time.monotonic() < end, "the stage did not start"
        time.sleep(0.05)
    # When the one who runs it is interrupted
    run.send_signal(signal.SIGINT)
    run.wait(60)
    # Then the stage could clean up, and it and its process have ended
    assert (project / "cleaned").exists()
    pids = [int(pid) for pid in (project / "pids").read_text().split()]
    stats = [Path(f"/proc/{pid}/stat") for pid in pids]
    assert not [stat for stat in stats if stat.exists() and ") Z " not in stat.read_text()]
