from pathlib import Path

import pytest

from text_recognizer.errors import ConfigError
from text_recognizer.serving.requirements import pinned

LOCK = Path(__file__).resolve().parents[2] / "requirements.lock"


def test_what_a_package_requires_is_pinned_with_it():
    names = [pin.partition("==")[0] for pin in pinned(["fastapi"], LOCK)]
    assert {"fastapi", "starlette", "pydantic", "anyio"} <= set(names)


def test_every_pin_is_a_line_of_the_lock():
    lock = {line.split(" ;")[0] for line in LOCK.read_text().splitlines()}
    assert set(pinned(["onnxruntime", "pillow"], LOCK)) <= lock


def test_a_package_that_the_lock_does_not_pin_is_named(tmp_path):
    (tmp_path / "lock").write_text("numpy==1.0\n")
    with pytest.raises(ConfigError, match=r"pins no version of pillow"):
        pinned(["numpy", "pillow"], tmp_path / "lock")


def test_a_missing_lock_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"lock does not exist"):
        pinned(["numpy"], tmp_path / "lock")
