"""text-recognizer: learns to read whole pages of handwriting, and measures how well it reads.

>>> from text_recognizer import Recognizer
>>> print(Recognizer.load().read("photo.jpg").text)
"""

from typing import TYPE_CHECKING

from text_recognizer.utils.lazy_imports import lazy_attributes

if TYPE_CHECKING:
    from text_recognizer.inference import Recognizer, Transcription

__version__ = "0.1.0"
__all__ = ["Recognizer", "Transcription", "__version__"]

__getattr__, __dir__ = lazy_attributes(__name__, {"Recognizer": "inference", "Transcription": "inference"})
