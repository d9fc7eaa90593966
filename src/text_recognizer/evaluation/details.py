"""What stands beside the figures of a score: slices, runaway pages, and whether the confidences can be believed."""

from collections.abc import Sequence
from typing import Any

from text_recognizer.config import EvaluateSection
from text_recognizer.evaluation.calibration import figures_of, judged
from text_recognizer.evaluation.score import PageScore
from text_recognizer.evaluation.slices import runaways, slices
from text_recognizer.inference.reading import Doubt


def details(pages: Sequence[PageScore], section: EvaluateSection, doubt: Doubt) -> dict[str, Any]:
    """`slices`, `runaways`, and `calibration` with its bins and review curve; ready for JSON, and no clock is read."""
    read = judged((page.reference, page.reading) for page in pages if page.reading)
    plain = judged((page.reference, page.plain) for page in pages if page.plain)
    return {
        "slices": slices(pages, section),
        "runaways": runaways(pages),
        "calibration": figures_of(read, plain, doubt, section.review),
    }
