"""Fitting a model's doubt on validation pages, and writing it into the model's `reader.json`."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from text_recognizer.data.packed import PackedSplit, Page
from text_recognizer.evaluation.archive import cropped
from text_recognizer.evaluation.calibration import expected_error, fit, judged, right_characters
from text_recognizer.files import write_json
from text_recognizer.inference import Reading, Recognizer, ScoredPage
from text_recognizer.inference.info import INFO_FILE
from text_recognizer.inference.reading import OWN, glyphs, spelling
from text_recognizer.text import INDEX

# With fewer characters than these any doubt fits: the model keeps its own.
FEWEST = 200
BATCH = 16
Pair = tuple[Page, ScoredPage]


def calibrate(model: Path, processed: Path) -> dict[str, Any]:
    """Fits the doubt of `model` on the packed validation split of `processed`, and keeps it in the model.

    Returns it, with the expected calibration errors before and `_after`, and how many characters it was fitted on.
    """
    packed = PackedSplit.open(processed, "validation")
    recognizer = Recognizer.load(model)
    pairs: list[Pair] = []
    for start in range(0, len(packed), BATCH):
        batch = slice(start, start + BATCH)
        pairs += zip(packed.pages[batch], recognizer.scored(np.asarray(packed.canvases[batch])), strict=True)
    return _keep(model, recognizer, pairs)


def calibrate_on_archive(model: Path, archive: Path, split: str) -> dict[str, Any]:
    """The same on a split of an archive in IAM's layout, for a model that was trained elsewhere."""
    recognizer = Recognizer.load(model)
    pairs: list[Pair] = []
    for canvases, pages in cropped(archive, split, recognizer.info, BATCH, []):
        pairs += zip(pages, recognizer.scored(canvases), strict=True)
    return _keep(model, recognizer, pairs)


def _keep(model: Path, recognizer: Recognizer, pairs: list[Pair]) -> dict[str, Any]:
    plain = [(page.text, recognizer.spelled(scored, OWN)) for page, scored in pairs]
    together = zip(pairs, plain, strict=True)
    rows = [row for (page, scored), (_, reading) in together for row in _rows(page, scored, reading)]
    doubt = fit(*_columns(rows)) if len(rows) >= FEWEST else OWN
    info = json.loads((model / INFO_FILE).read_text(encoding="utf-8"))
    write_json(model / INFO_FILE, info | asdict(doubt))
    after = [(page.text, recognizer.spelled(scored, doubt)) for page, scored in pairs]
    return {**asdict(doubt), "characters": len(rows), **_errors(plain, ""), **_errors(after, "_after")}


def _columns(rows: list[tuple[np.ndarray, int, float]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    table, emitted, right = zip(*rows, strict=True)
    return np.array(table), np.array(emitted), np.array(right)


def _errors(readings: list[tuple[str, Reading]], suffix: str) -> dict[str, Any]:
    return {f"ece_{kind}{suffix}": expected_error(found) for kind, found in judged(readings).items()}


def _rows(page: Page, scored: ScoredPage, reading: Reading) -> Iterator[tuple[np.ndarray, int, float]]:
    """Each character read: the log-probabilities (C,) where it was surest, its id, and whether it is right."""
    flags = iter(right_characters(page.text, reading.text))
    along = zip(scored.log_probabilities, scored.paths, strict=True)
    lines = [(line, written) for line, path in along if (written := spelling(glyphs(line, path)))]
    for number, (line, written) in enumerate(lines):
        if number:
            next(flags)  # the newline between two lines
        for glyph in written:
            index = INDEX[glyph.character]
            column = glyph.first + int(line[glyph.first : glyph.last + 1, index].argmax())
            yield line[column], index, next(flags)
