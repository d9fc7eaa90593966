"""Score a model on a packed split: every figure, the rows of the pages, and the report."""

import json
from dataclasses import dataclass
from pathlib import Path

from text_recognizer.core.params import EvaluateSection
from text_recognizer.core.schemas import Score
from text_recognizer.corpora.packed_pages import PackedSplit
from text_recognizer.evaluation.confusions import as_csv, count_confusions
from text_recognizer.evaluation.details import describe
from text_recognizer.evaluation.provenance import collect_provenance, data_digest, score_digest
from text_recognizer.evaluation.robustness import measure_robustness
from text_recognizer.evaluation.score_report import render
from text_recognizer.evaluation.scoring import PageScore, read_split, summarise
from text_recognizer.evaluation.slices import uncounted_slices
from text_recognizer.inference import Recognizer
from text_recognizer.utils.files import write_json, write_text

SPLIT = "test"
UNKNOWN_DIGEST = "0" * 64


@dataclass(frozen=True)
class ScoreFiles:
    """Where the results of an evaluation go."""

    score: Path
    pages: Path
    report: Path
    confusions: Path


def evaluate(processed: Path, model: Path, section: EvaluateSection, out: ScoreFiles, curves: Path) -> Score:
    """Score `model` on the packed test split of `processed` and return what was written to `out.score`.

    Writes one JSON row per page, the HTML report, the counted confusions as CSV and, last, the score. Every result is
    computed before the first file is written. The report shows the training `curves` if that file exists.
    Raises DataError and ModelError.
    """
    recognizer = Recognizer.load(model)
    packed = PackedSplit.open(processed, SPLIT)
    score, rows = score_split(recognizer, packed, model, section)
    document = render(score, rows, packed, recognizer.info, section.gallery, curves)
    lines = [json.dumps(row.row().model_dump(mode="json"), ensure_ascii=False) for row in rows]
    write_text(out.pages, "".join(f"{line}\n" for line in lines))
    write_text(out.report, document)
    write_text(out.confusions, as_csv(count_confusions(rows)))
    write_json(out.score, score.model_dump(mode="json"))
    return score


def score_split(
    recognizer: Recognizer, packed: PackedSplit, model: Path, section: EvaluateSection
) -> tuple[Score, list[PageScore]]:
    """Return the score and all pages that were read. `model` is the folder that `recognizer` was loaded from.

    The figures are those of the pages that the gate judges. The other sources have a slice each.
    """
    rows = read_split(recognizer, packed)
    counted = [row for row in rows if row.source not in packed.uncounted]
    others = [row for row in rows if row.source in packed.uncounted]
    details = describe(counted, section, recognizer.info.calibration)
    robustness = measure_robustness(recognizer, packed.counted(), section.robustness) if section.robustness else None
    score = Score(
        **dict(summarise(counted, section)),
        **{**dict(details), "slices": (*details.slices, *uncounted_slices(others, section))},
        robustness=robustness,
        model=recognizer.digest,
        data=data_digest(packed),
        source=packed.source,
        provenance=collect_provenance(packed, model, section),
        sha256=UNKNOWN_DIGEST,
    )
    return score.model_copy(update={"sha256": score_digest(score)}), rows
