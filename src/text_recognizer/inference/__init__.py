"""Reading pictures with a trained model: onnxruntime and numpy, no torch."""

from text_recognizer.inference.info import ModelInfo
from text_recognizer.inference.reading import Reading, ReadLine
from text_recognizer.inference.recognizer import Recognizer, ScoredPage

__all__ = ["ModelInfo", "ReadLine", "Reading", "Recognizer", "ScoredPage"]
