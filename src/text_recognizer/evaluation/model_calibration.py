"""Calibrate a model on held-out pages, and write the calibration into its `reader.json`."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from text_recognizer.core.charset import INDEX
from text_recognizer.corpora.packed_pages import PackedPage, PackedSplit
from text_recognizer.evaluation.archive_scoring import cropped_batches
from text_recognizer.evaluation.calibration import (
    CalibrationErrors,
    calibration_errors,
    character_outcomes,
    fit_calibration,
    judge_confidences,
)
from text_recognizer.inference import DecodedPage, Recognizer, Transcription
from text_recognizer.inference.model_info import INFO_FILE
from text_recognizer.inference.transcription import UNCALIBRATED, Calibration, emitted_characters, text_characters
from text_recognizer.utils.files import write_json

# With fewer characters than this the fit would be noise, and the model stays uncalibrated.
MIN_CHARACTERS = 200
BATCH_SIZE = 16
Pair = tuple[PackedPage, DecodedPage]


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
    recognizer = Recognizer.load(model)
    pairs: list[Pair] = []
    for start in range(0, len(packed), BATCH_SIZE):
        batch = slice(start, start + BATCH_SIZE)
        decoded = recognizer.decode_canvases(np.asarray(packed.canvases[batch]))
        pairs += zip(packed.pages[batch], decoded, strict=True)
    return _fit_and_keep(model, recognizer, pairs)


def calibrate_on_archive(model: Path, archive: Path, split: str) -> CalibrationResult:
    """Calibrate `model` on a split of an archive in IAM's layout: for a model that was trained elsewhere."""
    recognizer = Recognizer.load(model)
    pairs: list[Pair] = []
    for canvases, pages in cropped_batches(archive, split, recognizer.info, BATCH_SIZE, []):
        pairs += zip(pages, recognizer.decode_canvases(canvases), strict=True)
    return _fit_and_keep(model, recognizer, pairs)


def _fit_and_keep(model: Path, recognizer: Recognizer, pairs: Sequence[Pair]) -> CalibrationResult:
    before = [(page.text, recognizer.transcribe(decoded, UNCALIBRATED)) for page, decoded in pairs]
    rows = [
        row
        for (page, decoded), (_, transcription) in zip(pairs, before, strict=True)
        for row in _character_rows(page, decoded, transcription)
    ]
    calibration = _fit(rows) if len(rows) >= MIN_CHARACTERS else UNCALIBRATED
    info = json.loads((model / INFO_FILE).read_text(encoding="utf-8"))
    write_json(model / INFO_FILE, info | asdict(calibration))
    after = [(page.text, recognizer.transcribe(decoded, calibration)) for page, decoded in pairs]
    return CalibrationResult(calibration, len(rows), _errors(before), _errors(after))


def _fit(rows: Sequence[tuple[np.ndarray, int, float]]) -> Calibration:
    table, emitted, outcomes = zip(*rows, strict=True)
    return fit_calibration(np.array(table), np.array(emitted), np.array(outcomes))


def _errors(pages: Sequence[tuple[str, Transcription]]) -> CalibrationErrors:
    return calibration_errors(judge_confidences(pages))


def _character_rows(
    page: PackedPage, decoded: DecodedPage, transcription: Transcription
) -> Iterator[tuple[np.ndarray, int, float]]:
    """Yield for each character read: the log-probabilities (C,) of its most confident column, its id, its outcome."""
    outcomes = iter(character_outcomes(page.text, transcription.text))
    rows = zip(decoded.log_probabilities, decoded.paths, strict=True)
    lines = [(line, kept) for line, path in rows if (kept := text_characters(emitted_characters(line, path)))]
    for number, (line, kept) in enumerate(lines):
        if number:
            next(outcomes)  # the newline between two lines
        for one in kept:
            index = INDEX[one.character]
            column = one.first + int(line[one.first : one.last + 1, index].argmax())
            yield line[column], index, next(outcomes)
