"""Small archives of synthetic forms, drawn once per process."""

from collections.abc import Callable
from pathlib import Path

import pytest

from text_recognizer.core.params import SyntheticSection
from text_recognizer.synthetic import write_corpus

SMALL = {
    "seed": 1, "train_forms": 8, "validation_forms": 4, "test_forms": 4, "forms_per_writer": 2, "page_width": 1240,
    "page_height": 1000, "lines_min": 1, "lines_max": 3, "dpi": 150,
}  # fmt: skip
FULL_SIZE = {
    **SMALL, "train_forms": 1, "validation_forms": 1, "test_forms": 1, "page_width": 2479, "page_height": 3542,
    "lines_min": 9, "lines_max": 10, "dpi": 300,
}  # fmt: skip


@pytest.fixture(scope="session")
def section() -> Callable[..., SyntheticSection]:
    """Return the section of a small data set, with the given values changed."""
    return lambda **changes: SyntheticSection(**{**SMALL, **changes})


@pytest.fixture(scope="session")
def small_zip(section, tmp_path_factory) -> Path:
    """Sixteen small forms. Not to be changed."""
    out = tmp_path_factory.mktemp("small") / "iamdb.zip"
    write_corpus(section(), out, workers=1)
    return out


@pytest.fixture(scope="session")
def full_size_zip(tmp_path_factory) -> Path:
    """Three forms of IAM's size. Not to be changed."""
    out = tmp_path_factory.mktemp("full") / "iamdb.zip"
    write_corpus(SyntheticSection(**FULL_SIZE), out, workers=1)
    return out
