"""The evaluate stage: from the packed test split and a model to the score, the rows and the report."""

import json
from pathlib import Path
from typing import Any

from text_recognizer.config import EvaluateSection
from text_recognizer.data.packed import PackedSplit
from text_recognizer.evaluation.report import render
from text_recognizer.evaluation.score import data_digest, read_split, summarise
from text_recognizer.files import write_json, write_text
from text_recognizer.inference import Recognizer

SPLIT = "test"


def evaluate(
    processed: Path, model: Path, section: EvaluateSection, score: Path, pages: Path, report: Path, curves: Path
) -> dict[str, Any]:
    """Scores `model` on the packed test split of `processed`; returns what it wrote to `score`.

    Writes `pages` (a JSON row a page), `report` (one HTML file) and, last, `score`; `curves` is shown where it exists.
    Everything is made before the first file is written. Raises DataError and ModelError as the reading does.
    """
    recognizer = Recognizer.load(model)
    packed = PackedSplit.open(processed, SPLIT)
    rows = read_split(recognizer, packed, section)
    figures = {**summarise(rows, section), "model": recognizer.digest, "data": data_digest(packed)}
    document = render(figures, rows, packed, recognizer.info, section.gallery, curves)
    write_text(pages, "".join(json.dumps(row.row(), ensure_ascii=False) + "\n" for row in rows))
    write_text(report, document)
    write_json(score, figures)
    return figures
