"""Scoring a model, the report that shows what it gets wrong, and the gate that decides whether it may ship."""

from text_recognizer.evaluation.archive import SCORING, score_archive
from text_recognizer.evaluation.calibrate import calibrate
from text_recognizer.evaluation.gate import gate, judge
from text_recognizer.evaluation.gate import table as verdict_table
from text_recognizer.evaluation.logged import log_score
from text_recognizer.evaluation.score import PageScore, read_split, summarise
from text_recognizer.evaluation.stage import evaluate

__all__ = [
    "SCORING",
    "PageScore",
    "calibrate",
    "evaluate",
    "gate",
    "judge",
    "log_score",
    "read_split",
    "score_archive",
    "summarise",
    "verdict_table",
]
