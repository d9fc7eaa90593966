"""Calibrate a model on held-out pages, and write the calibration into its `reader.json`."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from text_recognizer.core.charset import INDEX
from text_recognizer.corpora.packed_pages import PackedPage, PackedSplit
from text_recognizer.evaluation.archive_scoring import Crop, cropped_pages
from text_recognizer.evaluation.calibration import (
    CalibrationErrors,
    calibration_errors,
    character_outcomes,
    fit_calibration,
    judge_confidences,
)
from text_recognizer.inference import Recognizer
from text_recognizer.inference.model_info import INFO_FILE, crops_of
from text_recognizer.inference.packed_paragraphs import read_paragraph
from text_recognizer.inference.page_reader import TracedPage
from text_recognizer.inference.transcription import UNCALIBRATED, Calibration
from text_recognizer.utils.files import write_json

# With fewer characters than this the fit would be noise, and the model stays uncalibrated.
MIN_CHARACTERS = 200
Pair = tuple[PackedPage, TracedPage]


@dataclass(frozen=True)
class CalibrationResult:
    """A fitted calibration, the number of characters it was fitted on, and the calibration errors before and after."""

    calibration: Calibration
    characters: int
    before: CalibrationErrors
    after: CalibrationErrors


def calibrate(model: Path, processed: Path) -> CalibrationResult:
    """Calibrate `model` on the packed validation split of `processed`, and write the calibration into the model."""
    packed = PackedSplit.open(processed, "validation")
    return _calibrate(model, Recognizer.load(model), zip(packed.canvases, packed.pages, strict=True))


def calibrate_on_archive(model: Path, archive: Path, split: str) -> CalibrationResult:
    """Calibrate `model` on a split of an archive in IAM's layout: for a model that was trained elsewhere."""
    recognizer = Recognizer.load(model)
    return _calibrate(model, recognizer, cropped_pages(archive, split, crops_of(recognizer.info), []))


def _calibrate(model: Path, recognizer: Recognizer, crops: Iterable[Crop]) -> CalibrationResult:
    pairs = [(page, read_paragraph(recognizer, np.asarray(canvas), page)) for canvas, page in crops]
    rows = [row for page, traced in pairs for row in _character_rows(page, traced)]
    calibration = _fit(rows) if len(rows) >= MIN_CHARACTERS else UNCALIBRATED
    info = json.loads((model / INFO_FILE).read_text(encoding="utf-8"))
    write_json(model / INFO_FILE, info | asdict(calibration))
    return CalibrationResult(calibration, len(rows), _errors(pairs, UNCALIBRATED), _errors(pairs, calibration))


def _fit(rows: Sequence[tuple[np.ndarray, int, float]]) -> Calibration:
    table, emitted, outcomes = zip(*rows, strict=True)
    return fit_calibration(np.array(table), np.array(emitted), np.array(outcomes))


def _errors(pairs: Sequence[Pair], calibration: Calibration) -> CalibrationErrors:
    return calibration_errors(
        judge_confidences([(page.text, traced.calibrated(calibration)) for page, traced in pairs])
    )


def _character_rows(page: PackedPage, traced: TracedPage) -> Iterator[tuple[np.ndarray, int, float]]:
    """Yield for each character read: the log-probabilities (C,) of its most confident column, its id, its outcome."""
    outcomes = iter(character_outcomes(page.text, traced.transcription.text))
    for number, decoded in enumerate(traced.decoded):
        if number:
            next(outcomes)  # the newline between two lines
        for one in decoded.characters():
            index = INDEX[one.character]
            column = one.first + int(decoded.log_probabilities[one.first : one.last + 1, index].argmax())
            yield decoded.log_probabilities[column], index, next(outcomes)
