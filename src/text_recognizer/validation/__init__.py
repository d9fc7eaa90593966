"""What the data must look like, checked by Great Expectations before anything is cropped or learnt."""

from text_recognizer.validation.outcome import Outcome
from text_recognizer.validation.run import check_crops, validate

__all__ = ["Outcome", "check_crops", "validate"]
