"""Small samples, drawn once a session."""

import pytest

from text_recognizer.config import SyntheticSection
from text_recognizer.data.synthetic import write_corpus

SMALL = {
    "seed": 1, "train_forms": 8, "validation_forms": 4, "test_forms": 4, "forms_per_writer": 2, "page_width": 1240,
    "page_height": 1000, "lines_min": 1, "lines_max": 3, "dpi": 150, "workers": 1,
}  # fmt: skip
FULL_SIZE = {
    **SMALL, "train_forms": 1, "validation_forms": 1, "test_forms": 1, "page_width": 2479, "page_height": 3542,
    "lines_min": 9, "lines_max": 10, "dpi": 300,
}  # fmt: skip


@pytest.fixture(scope="session")
def section():
    """A SyntheticSection: a small sample's, with what is given changed."""
    return lambda **changes: SyntheticSection(**{**SMALL, **changes})


@pytest.fixture(scope="session")
def full_size():
    return SyntheticSection(**FULL_SIZE)


@pytest.fixture(scope="session")
def small_zip(section, tmp_path_factory):
    out = tmp_path_factory.mktemp("small") / "iamdb.zip"
    write_corpus(section(), out)
    return out


@pytest.fixture(scope="session")
def full_size_zip(full_size, tmp_path_factory):
    out = tmp_path_factory.mktemp("full") / "iamdb.zip"
    write_corpus(full_size, out)
    return out
