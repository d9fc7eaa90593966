"""The train stage: train a reader, resume a stopped run, and calibrate its confidences."""

from functools import partial
from pathlib import Path

from text_recognizer.core.layout import Layout
from text_recognizer.core.params import Params
from text_recognizer.evaluation.model_calibration import calibrate
from text_recognizer.stages.watched_inputs import require_watched
from text_recognizer.training.fit import TrainingFiles, TrainingPlan, TrainingResult, train


def run(params: Params, layout: Layout) -> TrainingResult:
    """Write the model folder and the training curves; return the CER and the step of the checkpoint that is kept."""
    require_watched(params, layout)
    finish = partial(_calibrate, processed=layout.processed)
    plan = TrainingPlan(params.train, params.preprocess, params.language, params.runtime)
    files = TrainingFiles(layout.processed, layout.model, layout.curves, layout.scratch)
    return train(plan, files, finish)


def _calibrate(model: Path, processed: Path) -> None:
    calibrate(model, processed)
