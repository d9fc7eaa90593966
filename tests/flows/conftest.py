"""A small DVC project with real stages."""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import pytest
import yaml


class MakeProject(Protocol):
    def __call__(self, stages: Mapping[str, Mapping[str, Any]]) -> Path: ...


@pytest.fixture
def make_project(tmp_path: Path) -> MakeProject:
    """Makes a DVC project of these stages of dvc.yaml."""

    def make(stages: Mapping[str, Mapping[str, Any]]) -> Path:
        subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
        settings = tmp_path / ".dvc"
        settings.mkdir()
        (settings / "config").write_text("[core]\n    analytics = false\n    check_update = false\n")
        (tmp_path / "dvc.yaml").write_text(yaml.safe_dump({"stages": dict(stages)}, sort_keys=False))
        return tmp_path

    return make
