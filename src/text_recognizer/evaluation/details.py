"""The figures of a score beside its error rates: slices, length outliers and calibration."""

from collections.abc import Sequence

from text_recognizer.core.params import EvaluateSection
from text_recognizer.core.schemas import Details
from text_recognizer.evaluation.calibration import calibration_figures, judge_confidences
from text_recognizer.evaluation.scoring import PageScore
from text_recognizer.evaluation.slices import find_length_outliers, score_slices
from text_recognizer.inference.transcription import Calibration


def describe(pages: Sequence[PageScore], section: EvaluateSection, calibration: Calibration) -> Details:
    """Compute the slices, the length outliers and the calibration figures of scored pages. No clock is read."""
    calibrated = judge_confidences((page.reference, page.transcription) for page in pages if page.transcription)
    uncalibrated = judge_confidences((page.reference, page.uncalibrated) for page in pages if page.uncalibrated)
    return Details(
        slices=score_slices(pages, section),
        length_outliers=find_length_outliers(pages),
        calibration=calibration_figures(calibrated, uncalibrated, calibration, section.review_budget),
    )
