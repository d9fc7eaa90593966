"""From validated forms to packed crops: cut out the paragraph of each form and pack the splits."""

from text_recognizer.preprocess.crop import crop_form
from text_recognizer.preprocess.crop_jobs import Spread, locally
from text_recognizer.preprocess.pack import Corrections, Packed, Sources, pack

__all__ = ["Corrections", "Packed", "Sources", "Spread", "crop_form", "locally", "pack"]
