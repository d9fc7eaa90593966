"""From validated forms to packed canvases."""

from text_recognizer.preprocess.crop import crop_form
from text_recognizer.preprocess.pack import Corrections, Packed, Spread, pack

__all__ = ["Corrections", "Packed", "Spread", "crop_form", "pack"]
