"""Find the corrections that may join the training split."""

from collections.abc import Callable
from pathlib import Path

from text_recognizer.core.schemas import ValidationSummary
from text_recognizer.preprocess.crop_jobs import Crop
from text_recognizer.preprocess.pack import Corrections, no_fault
from text_recognizer.utils.records import read_record

AGAIN = "run `text-recognizer validate` again"


def accepted_corrections(folder: Path, validation: Path, fault: Callable[[Crop], str | None] = no_fault) -> Corrections:
    """Return the corrections in `folder` that the last validation accepted; none if there was no validation.

    `fault` says what is wrong with the crop of one: it is left out, and the others are packed. Raises DataError if the
    file `validation` is not the summary of a validation.
    """
    if not validation.exists():
        return Corrections(folder, fault=fault)
    summary = read_record(ValidationSummary, validation, AGAIN, AGAIN)
    return Corrections(folder, summary.feedback.accepted, fault)
