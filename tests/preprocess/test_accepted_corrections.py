"""The corrections that the last validation accepted may join the training split."""

import json

import pytest

from text_recognizer.core.errors import DataError
from text_recognizer.core.schemas import ArchiveCounts, CorrectionsFound, ValidationSummary
from text_recognizer.preprocess import Corrections
from text_recognizer.preprocess.accepted_corrections import accepted_corrections

SUMMARY = ValidationSummary(
    passed=True,
    sha256="0" * 64,
    split="lwitlrt",
    counts=ArchiveCounts(forms=0, lines=0, writers=0, excluded=0),
    splits={},
    sources=(),
    drift="not compared",
    feedback=CorrectionsFound(accepted=("a", "b"), refused={"c": ("correction_text: line 1 has no text",)}),
    expectations=(),
    forms_at_fault=(),
).model_dump(mode="json")


def test_without_a_validation_no_correction_is_accepted(tmp_path):
    assert accepted_corrections(tmp_path, tmp_path / "validation.json") == Corrections(tmp_path)


def test_the_corrections_that_the_validation_accepted_are_taken(tmp_path):
    (tmp_path / "validation.json").write_text(json.dumps(SUMMARY))
    assert accepted_corrections(tmp_path, tmp_path / "validation.json") == Corrections(tmp_path, ("a", "b"))


@pytest.mark.parametrize(
    "content", ["{", "[]", json.dumps({key: SUMMARY[key] for key in SUMMARY if key != "feedback"})]
)
def test_a_damaged_summary_is_named(tmp_path, content):
    (tmp_path / "validation.json").write_text(content)
    with pytest.raises(DataError, match=r"validation\.json") as caught:
        accepted_corrections(tmp_path, tmp_path / "validation.json")
    assert "validate" in caught.value.fix
