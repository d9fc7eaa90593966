"""Find the corrections that may join the training split."""

from pathlib import Path

from text_recognizer.core.schemas import ValidationSummary
from text_recognizer.preprocess.pack import Corrections
from text_recognizer.utils.records import read_record

AGAIN = "run `text-recognizer validate` again"


def accepted_corrections(folder: Path, validation: Path) -> Corrections:
    """Return the corrections in `folder` that the last validation accepted; none if there was no validation.

    Raises DataError if the file `validation` is not the summary of a validation.
    """
    if not validation.exists():
        return Corrections(folder)
    summary = read_record(ValidationSummary, validation, AGAIN, AGAIN)
    return Corrections(folder, summary.feedback.accepted)
