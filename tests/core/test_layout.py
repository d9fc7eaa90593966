"""Where a project keeps its files."""

from pathlib import Path

import pytest

from text_recognizer.core import layout
from text_recognizer.core.errors import ConfigError
from text_recognizer.core.layout import Layout, pretrained_model, require_writable_model


def test_every_path_lies_in_the_folder_of_the_project():
    paths = {name: path for name, path in vars(Layout(Path("/project"))).items() if name != "root"}
    assert paths
    assert [name for name, path in paths.items() if not path.is_relative_to("/project")] == []


def test_no_two_names_share_a_path():
    paths = [path for name, path in vars(Layout()).items() if name != "root"]
    assert len(set(paths)) == len(paths)


def test_the_pretrained_reader_inside_the_package_is_preferred_to_that_of_a_clone(tmp_path, monkeypatch):
    installed, clone = tmp_path / "installed", tmp_path / "clone"
    monkeypatch.setattr(layout, "PRETRAINED_FOLDERS", (installed, clone))
    assert pretrained_model() == clone
    installed.mkdir()
    assert pretrained_model() == installed


def test_nothing_is_written_into_the_installed_package(tmp_path, monkeypatch):
    installed, clone = tmp_path / "installed", tmp_path / "clone"
    monkeypatch.setattr(layout, "PRETRAINED_FOLDERS", (installed, clone))
    require_writable_model(clone)
    require_writable_model(tmp_path / "mine")
    with pytest.raises(ConfigError) as refused:
        require_writable_model(tmp_path / "mine" / ".." / "installed")
    assert "--model FOLDER" in refused.value.fix
