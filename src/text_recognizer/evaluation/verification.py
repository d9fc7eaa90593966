"""Verify a published score: score the same model on the same pages again, and compare every field."""

from pathlib import Path

import numpy as np
from pydantic import ValidationError

from text_recognizer.core.errors import DataError
from text_recognizer.core.params import EvaluateSection
from text_recognizer.core.schemas import Score
from text_recognizer.corpora.packed_pages import PackedSplit
from text_recognizer.evaluation.archive_scoring import cropped_pages
from text_recognizer.evaluation.provenance import Check, compare_scores
from text_recognizer.evaluation.split_score import SPLIT, score_split
from text_recognizer.inference import Recognizer
from text_recognizer.inference.model_info import crops_of


def verify(score: Path, model: Path, packed: PackedSplit, section: EvaluateSection) -> list[Check]:
    """Score `model` on `packed` with `section`, and compare each field with the file `score`.

    Raises DataError if the file holds no score of a packed split, ModelError if the model's files do not fit together.
    """
    published = read_score(score)
    again, _ = score_split(Recognizer.load(model), packed, model, section)
    return list(compare_scores(published, again))


def read_score(path: Path) -> Score:
    """Read the score of a packed split. Raises DataError if the file is missing or holds none."""
    try:
        return Score.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise DataError(f"{path} does not exist", "name the score to verify") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error}", "name a score file") from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        fix = "name a file that this version of `text-recognizer evaluate` wrote"
        raise DataError(f"{path} holds no score of a packed split: {place}: {first['msg']}", fix) from None


def pages_to_verify(processed: Path, archive: Path | None, split: str, model: Path) -> PackedSplit:
    """Return the pages to score again: a split of an archive, cropped as the model asks, or the packed test split."""
    if archive is None:
        return PackedSplit.open(processed, SPLIT)
    crops = list(cropped_pages(archive, split, crops_of(Recognizer.load(model).info), []))
    if not crops:
        raise DataError(f"no form of {split} in {archive} can be scored", "correct the archive")
    return PackedSplit(np.stack([canvas for canvas, _ in crops]), tuple(page for _, page in crops))


def table(checks: list[Check]) -> str:
    """Return the checks for a terminal: one line each, then the outcome."""
    width = max(len(check.name) for check in checks)
    rows = [f"  {_mark(check)}  {check.name:<{width}}  {check.detail}" for check in checks]
    failed = ", ".join(check.name for check in failed_checks(checks))
    return "\n".join([*rows, f"the score does NOT hold: {failed}" if failed else "the score holds"])


def failed_checks(checks: list[Check]) -> list[Check]:
    """Return the checks that failed and are binding."""
    return [check for check in checks if check.binding and not check.passed]


def _mark(check: Check) -> str:
    if check.passed:
        return "ok    "
    return "FAILED" if check.binding else "note  "
