"""From validated forms to packed canvases."""

from text_recognizer.preprocess.crop import crop_form
from text_recognizer.preprocess.pack import pack

__all__ = ["crop_form", "pack"]
