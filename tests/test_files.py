"""Files that are whole or not there."""

import hashlib
import os
import signal
import subprocess
import sys

import pytest

from text_recognizer.errors import DataError, TextRecognizerError
from text_recognizer.files import read_table, replacing, sha256, write_json

KILLED = """
import os, pathlib, sys, time
from text_recognizer.files import replacing
with replacing(pathlib.Path(sys.argv[1])) as draft:
    {write}
    print("half", flush=True)
    time.sleep(60)
"""
HALF_FILE = "draft.write_text('half')"
HALF_FOLDER = "draft.mkdir(); (draft / 'part').write_text('half')"


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def fail_while_writing(path, error, folder=False):
    with replacing(path) as draft:
        assert not draft.exists(), "no draft of an earlier run is left"
        (draft.mkdir if folder else draft.touch)()
        raise error


def kill_while_writing(path, write):
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED.format(write=write), str(path)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout
    assert child.stdout.readline() == "half\n"
    child.send_signal(signal.SIGKILL)
    child.wait()
    child.stdout.close()


def test_a_file_takes_the_old_one_s_place(tmp_path):
    path = tmp_path / "figures.txt"
    path.write_text("old")
    with replacing(path) as draft:
        draft.write_text("new")
        assert path.read_text() == "old", "the old file stands until the new one is whole"
    assert path.read_text() == "new"
    assert names(tmp_path) == ["figures.txt"]


def test_a_folder_takes_the_old_one_s_place(tmp_path):
    path = tmp_path / "model"
    path.mkdir()
    (path / "old").touch()
    with replacing(path) as draft:
        draft.mkdir()
        (draft / "new").touch()
    assert names(path) == ["new"]
    assert names(tmp_path) == ["model"]


def test_a_folder_never_gives_way_to_a_file(tmp_path):
    path = tmp_path / "reports"
    path.mkdir()
    (path / "score.json").write_text("old")
    with pytest.raises(TextRecognizerError, match="reports is a folder"), replacing(path) as draft:
        draft.write_text("new")
    assert names(path) == ["score.json"]
    assert names(tmp_path) == ["reports"]


def test_missing_parents_are_made(tmp_path):
    with replacing(tmp_path / "a" / "b" / "file") as draft:
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


def test_an_exception_leaves_nothing_where_nothing_was(tmp_path):
    with pytest.raises(ValueError, match="half"):
        fail_while_writing(tmp_path / "model", ValueError("half"), folder=True)
    assert names(tmp_path) == []


@pytest.mark.parametrize("folder", [False, True])
def test_a_block_that_writes_nothing_leaves_the_old_one(tmp_path, folder):
    path = tmp_path / "model"
    (path if folder else tmp_path).mkdir(exist_ok=True)
    kept = path / "old" if folder else path
    kept.write_text("old")
    with pytest.raises(FileNotFoundError), replacing(path):
        pass
    assert kept.read_text() == "old"
    assert names(tmp_path) == ["model"]


@pytest.mark.parametrize("folder", [False, True])
def test_a_kill_leaves_the_old_one_and_the_next_run_clears_the_draft(tmp_path, folder):
    # Given a file or folder, and a process that is killed while it writes a new one
    path = tmp_path / "model"
    (path if folder else tmp_path).mkdir(exist_ok=True)
    kept = path / "old" if folder else path
    kept.write_text("old")
    kill_while_writing(path, HALF_FOLDER if folder else HALF_FILE)
    assert kept.read_text() == "old"
    assert len(names(tmp_path)) == 2, "the claim needs a stale draft"
    # When the next run fails too, then the old one is still there, alone
    with pytest.raises(ValueError, match="again"):
        fail_while_writing(path, ValueError("again"), folder)
    assert kept.read_text() == "old"
    assert names(tmp_path) == ["model"]


def test_a_kill_between_the_two_moves_of_a_folder_loses_neither(tmp_path):
    # Given what a kill leaves after the old folder was moved away and before the new one came
    path, scratch = tmp_path / "model", tmp_path / ".model.part"
    (scratch / "model.old").mkdir(parents=True)
    (scratch / "model.old" / "old").touch()
    # When the next run fails
    with pytest.raises(ValueError, match="again"):
        fail_while_writing(path, ValueError("again"), folder=True)
    # Then the old folder is back
    assert names(path) == ["old"]
    assert names(tmp_path) == ["model"]


def test_equal_values_give_equal_json_bytes(tmp_path):
    write_json(tmp_path / "a.json", {"b": 1, "a": "é"})
    write_json(tmp_path / "b.json", {"a": "é", "b": 1})
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == '{\n  "a": "é",\n  "b": 1\n}\n'


def test_json_with_a_number_that_is_none_is_refused_and_leaves_the_old_file(tmp_path):
    write_json(tmp_path / "score.json", {"cer": 0.5})
    with pytest.raises(ValueError, match="nan"):
        write_json(tmp_path / "score.json", {"cer": float("nan")})
    assert "0.5" in (tmp_path / "score.json").read_text(encoding="utf-8")


def test_the_digest_of_a_file_larger_than_a_chunk(tmp_path):
    content = os.urandom(1 << 20) + b"tail"
    (tmp_path / "file").write_bytes(content)
    assert sha256(tmp_path / "file") == hashlib.sha256(content).hexdigest()


def test_a_table_is_read_as_it_was_written(tmp_path):
    write_json(tmp_path / "table.json", {"cer": 0.1, "name": "ä"})
    assert read_table(tmp_path / "table.json", "make it", "make it anew") == {"cer": 0.1, "name": "ä"}


@pytest.mark.parametrize(
    ("content", "what", "fix"),
    [
        (None, "does not exist", "make it"),
        (b"{", "cannot be read", "make it anew"),
        (b"\xff", "cannot be read", "make it anew"),
        (b"[" * 100_000, "cannot be read", "make it anew"),
        (b"[1]", "is not a table", "make it anew"),
    ],
    ids=["missing", "cut", "no text", "too deep", "a list"],
)
def test_what_is_no_table_is_named_with_what_to_do(tmp_path, content, what, fix):
    if content is not None:
        (tmp_path / "table.json").write_bytes(content)
    with pytest.raises(DataError, match=rf"table\.json {what}") as caught:
        read_table(tmp_path / "table.json", "make it", "make it anew")
    assert caught.value.fix == fix
