"""An entry is added to `data.sources` of params.yaml, and everything else there stays as it is."""

from pathlib import Path

import pytest
from tests.sources import entry_of

from text_recognizer.core import config
from text_recognizer.core.errors import ConfigError
from text_recognizer.corpora.source_entries import add_source

PARAMS = Path(__file__).resolve().parents[1] / "params.yaml"
LETTERS = entry_of("my letters: a #1", "lists", format="page", name="letters")


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_text(PARAMS.read_text())
    return path


@pytest.mark.parametrize(
    "lines",
    [
        "data:\n  sources:  # all of them\n    - address: synthetic  # drawn\n      split: lwitlrt\n  exclude: []\n",
        "data:  # pages\n  exclude: []\n\n  # why\n  sources:\n  - {address: synthetic, split: lwitlrt}\n\n",
    ],
)
def test_the_entry_is_the_last_one_and_all_other_lines_stay(path, lines):
    text = path.read_text()
    path.write_text(lines + text[text.index("synthetic:\n") :])
    before = path.read_text().splitlines()
    add_source(path, LETTERS)
    assert config.load(path).data.sources == (entry_of("synthetic"), LETTERS)
    after = path.read_text().splitlines()
    assert [line for line in after if line in before] == before
    assert len(after) == len(before) + 4


@pytest.mark.parametrize("value", ["[{address: synthetic, split: lwitlrt}]", "&a\n    - {address: x, split: aachen}"])
def test_a_list_that_is_written_otherwise_is_left_as_it_is(path, value):
    text = path.read_text()
    path.write_text(f"data:\n  sources: {value}\n  exclude: []\n" + text[text.index("synthetic:\n") :])
    before = path.read_text()
    with pytest.raises(ConfigError):
        add_source(path, LETTERS)
    assert path.read_text() == before


def test_a_source_of_a_name_that_is_taken_is_refused(path):
    before = path.read_text()
    with pytest.raises(ConfigError, match="two sources are called synthetic"):
        add_source(path, entry_of("my/synthetic", "lists", format="page"))
    assert path.read_text() == before
