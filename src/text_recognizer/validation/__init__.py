"""What the data must look like, checked by Great Expectations before anything is cropped or learnt."""

from text_recognizer.validation.outcome import Outcome
from text_recognizer.validation.run import validate

__all__ = ["Outcome", "validate"]
