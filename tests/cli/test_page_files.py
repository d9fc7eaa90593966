"""Which files a command reads, in which order, and how their outputs are named."""

from pathlib import Path

import pytest

from text_recognizer.cli.page_files import find_page_files
from text_recognizer.core.errors import ConfigError


@pytest.fixture
def folder(tmp_path):
    for name in ("b.PNG", "a.jpg", "notes.txt", ".hidden.png", "sub/c.pdf", "sub/a.png", ".cache/d.png", "out/e.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    return tmp_path


def outputs(files, kind="text", page=None):
    return [str(file.output(Path("o"), kind, page)) for file in files]


def test_a_folder_stands_for_its_page_files_sorted_without_hidden_files_and_outputs(folder):
    files, problems = find_page_files([str(folder)], folder / "out")
    assert [str(file.path.relative_to(folder)) for file in files] == ["a.jpg", "b.PNG", "sub/a.png", "sub/c.pdf"]
    assert problems == []


def test_outputs_keep_the_folders_below_the_argument(folder):
    files, _ = find_page_files([str(folder)], folder / "out")
    assert outputs(files) == ["o/a.txt", "o/b.txt", "o/sub/a.txt", "o/sub/c.txt"]
    assert outputs(files[-1:], "alto", 12) == ["o/sub/c.p0012.alto.xml"]


def test_files_of_one_output_name_keep_their_suffixes(folder):
    files, _ = find_page_files([str(folder / name) for name in ("a.jpg", "sub/c.pdf", "sub/a.png")], None)
    assert outputs(files) == ["o/a.jpg.txt", "o/c.txt", "o/a.png.txt"]


def test_a_named_file_is_read_whatever_its_name_and_once(folder):
    files, problems = find_page_files([str(folder / "notes.txt")] * 2 + [str(folder / "missing.png")], None)
    assert [file.path.name for file in files] == ["notes.txt", "missing.png"]
    assert problems == []


def test_a_folder_without_page_files_is_a_problem_and_the_rest_is_read(folder, tmp_path):
    (tmp_path / "empty").mkdir()
    files, problems = find_page_files([str(tmp_path / "empty"), str(folder / "a.jpg")], None)
    assert [file.path.name for file in files] == ["a.jpg"]
    assert [problem.code for problem in problems] == ["data"]


def test_standard_input_is_named_once():
    files, _ = find_page_files(["-"], None)
    assert (files[0].path, outputs(files)) == (None, ["o/stdin.txt"])
    with pytest.raises(ConfigError):
        find_page_files(["-", "-"], None)
