"""A JSON file is read as a record, or refused with the name of the file and of the wrong key."""

import json

import pytest

from text_recognizer.core.errors import DataError
from text_recognizer.core.schemas import SplitCounts
from text_recognizer.utils.records import read_record

COUNTS = {"forms": 3, "lines": 6, "writers": 2}


def test_a_file_becomes_a_record(tmp_path):
    (tmp_path / "counts.json").write_text(json.dumps(COUNTS))
    assert read_record(SplitCounts, tmp_path / "counts.json", "", "") == SplitCounts(**COUNTS)


@pytest.mark.parametrize(
    ("content", "wrong"),
    [("{", ""), ("[]", ""), ({**COUNTS, "forms": -1}, "forms"), ({**COUNTS, "pages": 1}, "pages"), ({}, "forms")],
)
def test_a_damaged_file_names_the_file_and_the_key(tmp_path, content, wrong):
    (tmp_path / "counts.json").write_text(content if isinstance(content, str) else json.dumps(content))
    with pytest.raises(DataError, match=rf"counts\.json.*{wrong}") as caught:
        read_record(SplitCounts, tmp_path / "counts.json", "make it", "make it again")
    assert caught.value.fix == "make it again"


def test_a_missing_file_has_a_fix_of_its_own(tmp_path):
    with pytest.raises(DataError, match=r"counts\.json") as caught:
        read_record(SplitCounts, tmp_path / "counts.json", "make it", "make it again")
    assert caught.value.fix == "make it"
