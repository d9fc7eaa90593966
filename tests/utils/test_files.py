"""Files are replaced atomically, and JSON is stable."""

import hashlib
import os
import signal
import subprocess
import sys

import pytest

from text_recognizer.core.errors import DataError, TextRecognizerError
from text_recognizer.utils.files import read_json_object, replace_atomically, sha256, write_json

KILLED = """
import os, pathlib, sys, time
from text_recognizer.utils.files import replace_atomically
with replace_atomically(pathlib.Path(sys.argv[1])) as draft:
    {write}
    print("half", flush=True)
    time.sleep(60)
"""
HALF_FILE = "draft.write_text('half')"
HALF_FOLDER = "draft.mkdir(); (draft / 'part').write_text('half')"


def names(folder):
    """Return the names in a folder, sorted."""
    return sorted(path.name for path in folder.iterdir())


def fail_while_writing(path, error, folder=False):
    """Raise `error` while a file or a folder is being replaced."""
    with replace_atomically(path) as draft:
        assert not draft.exists(), "the draft of an earlier run must be gone"
        (draft.mkdir if folder else draft.touch)()
        raise error


def kill_while_writing(path, write):
    """Kill a process while it replaces `path`; `write` is its code."""
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED.format(write=write), str(path)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout
    assert child.stdout.readline() == "half\n"
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()


def test_a_file_is_replaced(tmp_path):
    path = tmp_path / "figures.txt"
    path.write_text("old")
    with replace_atomically(path) as draft:
        draft.write_text("new")
        assert path.read_text() == "old", "the old file must stay until the new one is complete"
    assert path.read_text() == "new"
    assert names(tmp_path) == ["figures.txt"]


def test_a_folder_is_replaced(tmp_path):
    path = tmp_path / "model"
    path.mkdir()
    (path / "old").touch()
    with replace_atomically(path) as draft:
        draft.mkdir()
        (draft / "new").touch()
    assert names(path) == ["new"]
    assert names(tmp_path) == ["model"]


def test_a_folder_is_never_replaced_by_a_file(tmp_path):
    path = tmp_path / "reports"
    path.mkdir()
    (path / "score.json").write_text("old")
    with pytest.raises(TextRecognizerError, match="reports"), replace_atomically(path) as draft:
        draft.write_text("new")
    assert names(path) == ["score.json"]
    assert names(tmp_path) == ["reports"]


def test_missing_parents_are_made(tmp_path):
    with replace_atomically(tmp_path / "a" / "b" / "file") as draft:
        draft.write_text("new")
    assert (tmp_path / "a" / "b" / "file").read_text() == "new"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_an_exception_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "figures.txt"
    path.write_text("old")
    with pytest.raises(error):
        fail_while_writing(path, error)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["figures.txt"]


def test_an_exception_leaves_nothing_if_there_was_nothing(tmp_path):
    with pytest.raises(ValueError, match="half"):
        fail_while_writing(tmp_path / "model", ValueError("half"), folder=True)
    assert names(tmp_path) == []


@pytest.mark.parametrize("folder", [False, True])
def test_a_block_that_writes_nothing_leaves_the_old_one(tmp_path, folder):
    path = tmp_path / "model"
    (path if folder else tmp_path).mkdir(exist_ok=True)
    kept = path / "old" if folder else path
    kept.write_text("old")
    with pytest.raises(FileNotFoundError), replace_atomically(path):
        pass
    assert kept.read_text() == "old"
    assert names(tmp_path) == ["model"]


@pytest.mark.parametrize("folder", [False, True])
def test_a_kill_leaves_the_old_one_and_the_next_run_clears_the_draft(tmp_path, folder):
    # A process is killed while it replaces a file or a folder.
    path = tmp_path / "model"
    (path if folder else tmp_path).mkdir(exist_ok=True)
    kept = path / "old" if folder else path
    kept.write_text("old")
    kill_while_writing(path, HALF_FOLDER if folder else HALF_FILE)
    assert kept.read_text() == "old"
    assert len(names(tmp_path)) == 2, "there must be a stale draft"
    # The next run fails too, and leaves only the old file or folder.
    with pytest.raises(ValueError, match="again"):
        fail_while_writing(path, ValueError("again"), folder)
    assert kept.read_text() == "old"
    assert names(tmp_path) == ["model"]


def test_a_kill_between_the_two_moves_of_a_folder_loses_neither(tmp_path):
    # This is what a kill leaves after the old folder was moved away and before the new one was moved in.
    path, scratch = tmp_path / "model", tmp_path / ".model.part"
    (scratch / "model.old").mkdir(parents=True)
    (scratch / "model.old" / "old").touch()
    # The next run fails.
    with pytest.raises(ValueError, match="again"):
        fail_while_writing(path, ValueError("again"), folder=True)
    # The old folder is back.
    assert names(path) == ["old"]
    assert names(tmp_path) == ["model"]


def test_equal_values_give_equal_bytes_of_json(tmp_path):
    write_json(tmp_path / "a.json", {"b": 1, "a": "é"})
    write_json(tmp_path / "b.json", {"a": "é", "b": 1})
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == '{\n  "a": "é",\n  "b": 1\n}\n'


def test_nan_is_refused_and_the_old_file_is_kept(tmp_path):
    write_json(tmp_path / "score.json", {"cer": 0.5})
    with pytest.raises(ValueError, match="nan"):
        write_json(tmp_path / "score.json", {"cer": float("nan")})
    assert "0.5" in (tmp_path / "score.json").read_text(encoding="utf-8")


def test_the_digest_of_a_file_larger_than_a_chunk(tmp_path):
    content = os.urandom(1 << 20) + b"tail"
    (tmp_path / "file").write_bytes(content)
    assert sha256(tmp_path / "file") == hashlib.sha256(content).hexdigest()


def test_a_json_object_is_read_as_it_was_written(tmp_path):
    write_json(tmp_path / "table.json", {"cer": 0.1, "name": "ä"})
    assert read_json_object(tmp_path / "table.json", "create it", "repair it") == {"cer": 0.1, "name": "ä"}


@pytest.mark.parametrize(
    ("content", "fix"),
    [
        (None, "create it"),
        (b"{", "repair it"),
        (b"\xff", "repair it"),
        (b"[" * 100_000, "repair it"),
        (b"[1]", "repair it"),
    ],
    ids=["missing", "truncated", "not text", "too deep", "a list"],
)
def test_a_file_without_a_json_object_is_named_with_what_to_do(tmp_path, content, fix):
    if content is not None:
        (tmp_path / "table.json").write_bytes(content)
    with pytest.raises(DataError, match=r"table\.json") as caught:
        read_json_object(tmp_path / "table.json", "create it", "repair it")
    assert caught.value.fix == fix
