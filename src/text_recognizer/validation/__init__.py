"""What the data must look like, checked by Great Expectations before preprocessing and before training."""

from text_recognizer.validation.crop_validation import check_crops, crop_fault
from text_recognizer.validation.form_validation import Beside, validate
from text_recognizer.validation.outcome import Outcome

__all__ = ["Beside", "Outcome", "check_crops", "crop_fault", "validate"]
