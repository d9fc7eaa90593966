"""The requirements of a bento are pinned to the versions of the lock file, with all that they require."""

from pathlib import Path

import pytest

from text_recognizer.core.errors import ConfigError
from text_recognizer.serving.requirements import pin

LOCK = Path(__file__).resolve().parents[2] / "requirements.lock"


def test_what_a_package_requires_is_pinned_with_it():
    names = [package.partition("==")[0] for package in pin(["fastapi"], LOCK)]
    assert {"fastapi", "starlette", "pydantic", "anyio"} <= set(names)


def test_every_pin_is_a_line_of_the_lock():
    lock = {line.split(" ;")[0] for line in LOCK.read_text().splitlines()}
    assert set(pin(["onnxruntime", "pillow"], LOCK)) <= lock


def test_a_package_that_the_lock_does_not_pin_is_named(tmp_path):
    (tmp_path / "lock").write_text("numpy==1.0\n")
    with pytest.raises(ConfigError) as caught:
        pin(["numpy", "pillow"], tmp_path / "lock")
    assert "pillow" in caught.value.what


def test_a_missing_lock_is_named(tmp_path):
    with pytest.raises(ConfigError) as caught:
        pin(["numpy"], tmp_path / "lock")
    assert str(tmp_path / "lock") in caught.value.what
