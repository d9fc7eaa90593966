"""The evaluate stage: from the packed test split and a model to the score, the rows and the report."""

import json
from pathlib import Path
from typing import Any

from text_recognizer.config import EvaluateSection
from text_recognizer.data.packed import PackedSplit
from text_recognizer.evaluation.confusions import as_csv, confusions
from text_recognizer.evaluation.details import details
from text_recognizer.evaluation.report import render
from text_recognizer.evaluation.robustness import robustness
from text_recognizer.evaluation.score import PageScore, data_digest, read_split, summarise
from text_recognizer.evaluation.seal import seal, sealed
from text_recognizer.files import write_json, write_text
from text_recognizer.inference import Recognizer

SPLIT = "test"


def evaluate(
    processed: Path,
    model: Path,
    section: EvaluateSection,
    score: Path,
    pages: Path,
    report: Path,
    mistakes: Path,
    curves: Path,
) -> dict[str, Any]:
    """Scores `model` on the packed test split of `processed`; returns what it wrote to `score`.

    Writes `pages` (a JSON row a page), `report` (one HTML file), `mistakes` (CSV, a row a kind of mistake, counted)
    and, last, `score`; `curves` is shown where it exists.
    Everything is made before the first file is written. Raises DataError and ModelError as the reading does.
    """
    recognizer = Recognizer.load(model)
    packed = PackedSplit.open(processed, SPLIT)
    found, rows = figures(recognizer, packed, model, section)
    document = render(found, rows, packed, recognizer.info, section.gallery, curves)
    write_text(pages, "".join(json.dumps(row.row(), ensure_ascii=False) + "\n" for row in rows))
    write_text(report, document)
    write_text(mistakes, as_csv(confusions(rows)))
    write_json(score, found)
    return found


def figures(
    recognizer: Recognizer, packed: PackedSplit, model: Path, section: EvaluateSection
) -> tuple[dict[str, Any], list[PageScore]]:
    """Every figure of a score, sealed, and the pages behind them. `model` is the folder that `recognizer` came from."""
    rows = read_split(recognizer, packed, section)
    found = {
        **summarise(rows, section),
        **details(rows, section, recognizer.info.doubt),
        "robustness": robustness(recognizer, packed, section.robustness) if section.robustness else None,
        "model": recognizer.digest,
        "data": data_digest(packed),
        "source": packed.source,
        "seal": seal(packed, model, section),
    }
    return sealed(found), rows
