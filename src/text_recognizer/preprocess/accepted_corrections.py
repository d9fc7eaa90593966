"""What the last validation says of the training split: the corrections that may join it, and lines to leave out."""

from collections.abc import Callable
from pathlib import Path

from text_recognizer.core.schemas import ValidationSummary
from text_recognizer.preprocess.crop_jobs import NOTHING_LEFT_OUT, Crop, LeftOutLabels
from text_recognizer.preprocess.pack import Corrections, no_fault
from text_recognizer.utils.records import read_record

AGAIN = "run `text-recognizer validate` again"


def left_out_labels(validation: Path) -> LeftOutLabels:
    """Return the lines and forms that the audit of the last validation leaves out. Raises DataError as below."""
    if not validation.exists():
        return NOTHING_LEFT_OUT
    found = read_record(ValidationSummary, validation, AGAIN, AGAIN).audit
    if found is None or not found.leave_out:
        return NOTHING_LEFT_OUT
    return LeftOutLabels(frozenset(found.disagreeing), frozenset(found.forms))


def accepted_corrections(folder: Path, validation: Path, fault: Callable[[Crop], str | None] = no_fault) -> Corrections:
    """Return the corrections in `folder` that the last validation accepted; none if there was no validation.

    `fault` says what is wrong with the crop of one: it is left out, and the others are packed. Raises DataError if the
    file `validation` is not the summary of a validation.
    """
    if not validation.exists():
        return Corrections(folder, fault=fault)
    summary = read_record(ValidationSummary, validation, AGAIN, AGAIN)
    return Corrections(folder, summary.feedback.accepted, fault)
