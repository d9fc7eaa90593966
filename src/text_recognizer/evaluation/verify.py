"""Running a published score again: the same model on the same pages, and whether each figure comes out the same."""

import json
from pathlib import Path

import numpy as np

from text_recognizer.config import EvaluateSection
from text_recognizer.data.packed import PackedSplit
from text_recognizer.errors import DataError
from text_recognizer.evaluation.archive import cropped
from text_recognizer.evaluation.seal import Check, claims
from text_recognizer.evaluation.stage import SPLIT, figures
from text_recognizer.files import read_table
from text_recognizer.inference import Recognizer


def verify(score: Path, model: Path, packed: PackedSplit, section: EvaluateSection) -> list[Check]:
    """Scores `model` on `packed` with `section` and checks each claim of the file `score`, in the order of the file.

    Raises DataError where the file holds no sealed score, and ModelError where the model's files do not fit together.
    """
    published = read_table(score, "name the score to verify", "name a score file")
    again, _ = figures(Recognizer.load(model), packed, model, section)
    # Through JSON, as the published one went.
    return list(claims(published, json.loads(json.dumps(again))))


def pages_of(processed: Path | None, archive: Path | None, split: str, model: Path) -> PackedSplit:
    """The pages to score again: the packed test split, or a split of an archive, cropped as the model asks."""
    if archive is None:
        assert processed is not None
        return PackedSplit.open(processed, SPLIT)
    parts = list(cropped(archive, split, Recognizer.load(model).info, 16, []))
    if not parts:
        raise DataError(f"no form of {split} in {archive} can be scored", "mend the archive")
    return PackedSplit(np.concatenate([part for part, _ in parts]), tuple(page for _, pages in parts for page in pages))


def table(checks: list[Check]) -> str:
    """For a terminal: one line a claim, then the outcome."""
    width = max(len(check.name) for check in checks)
    signs = {True: "ok    ", False: "FAILED"}
    rows = [
        f"  {signs[check.holds] if check.binding or check.holds else 'note  '}  {check.name:<{width}}  {check.words}"
        for check in checks
    ]
    failed = broken(checks)
    outcome = (
        "the score holds" if not failed else f"the score does NOT hold: {', '.join(check.name for check in failed)}"
    )
    return "\n".join([*rows, outcome])


def broken(checks: list[Check]) -> list[Check]:
    """The claims that do not hold."""
    return [check for check in checks if check.binding and not check.holds]
