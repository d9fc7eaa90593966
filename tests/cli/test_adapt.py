"""`adapt` refuses what it cannot use before it trains anything, and a model is found by its name."""

from pathlib import Path

import pytest
from PIL import Image

from text_recognizer.cli.extras import missing_extra
from text_recognizer.core.layout import model_folder, pretrained_model
from text_recognizer.inference.model_info import read_info


@pytest.fixture
def folder(tmp_path):
    """A working folder with five blank pages that have a text each."""
    pages = tmp_path / "pages"
    pages.mkdir()
    for number in range(5):
        Image.new("L", (200, 120), 245).save(pages / f"p{number}.png")
        (pages / f"p{number}.txt").write_text("a line\n")
    return tmp_path


def adapt(command, *options):
    return command("adapt", "--pages", "pages", "--name", "anna", *options)


def test_a_name_that_is_taken_is_refused(folder, command):
    (folder / "models/own/anna").mkdir(parents=True)
    status, _, err = adapt(command)
    assert status == 1
    assert "--force" in err


@pytest.mark.parametrize(
    ("options", "what"),
    [
        (("--name", "../anna"), "--name ../anna"),
        (("--seed", -1), "--seed -1"),
        (("--pages", "nowhere"), "nowhere"),
        (("--model", "nowhere"), "nowhere"),
    ],
)
def test_mistakes_get_a_message(folder, command, options, what):
    status, _, err = adapt(command, *options)
    assert status == 1
    assert what in err
    assert not (folder / "models").exists()


def test_too_few_pages_are_refused(folder, command):
    (folder / "pages/p4.png").unlink()
    (folder / "pages/p4.txt").unlink()
    status, _, err = adapt(command)
    assert status == 1
    assert " 4 pages" in err


def test_a_page_without_text_is_refused(folder, command):
    (folder / "pages/p3.txt").unlink()
    status, _, err = adapt(command)
    assert status == 1
    assert "p3.png has no text" in err


def test_pages_on_which_no_line_is_found_are_refused(folder, command):
    status, _, err = adapt(command)
    assert status == 1
    assert "no line was found with its text" in err
    assert not (folder / "models").exists()


def test_training_packages_that_are_not_installed_are_named():
    needed = missing_extra(ModuleNotFoundError("no", name="torch"), "adapt")
    assert needed
    assert "text-recognizer[train]" in needed.fix


def test_a_model_is_named_by_its_path_or_by_its_name_in_models(folder, command):
    (folder / "models/own").mkdir(parents=True)
    (folder / "models/own/anna").symlink_to(pretrained_model())
    digest = read_info(pretrained_model() / "reader.json").digest

    for name in ("own/anna", "models/own/anna"):
        status, out, err = command("read", "pages/p0.png", "--model", name, "--json")
        assert status == 0, err
        assert digest in out
    assert model_folder("own/anna") == Path("models/own/anna")
    assert model_folder("own/bert") == Path("own/bert")
