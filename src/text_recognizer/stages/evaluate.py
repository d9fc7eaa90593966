"""The evaluate stage: score the reader on the test split and write the report."""

from text_recognizer.core.layout import Layout
from text_recognizer.core.params import Params
from text_recognizer.core.schemas import Score
from text_recognizer.evaluation.split_score import ScoreFiles, evaluate
from text_recognizer.evaluation.wandb_score import log_score


def run(params: Params, layout: Layout) -> Score:
    """Write the score, its pages, its confusions and the report; log the score to the run that trained the model."""
    out = ScoreFiles(layout.score, layout.pages, layout.report, layout.confusions)
    score = evaluate(layout.processed, layout.model, params.evaluate, out, layout.curves)
    log_score(score, layout.report, layout.model)
    return score
