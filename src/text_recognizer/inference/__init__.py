"""Read pictures with a trained model: onnxruntime and numpy, no torch."""

from text_recognizer.inference.model_info import ModelInfo
from text_recognizer.inference.recognizer import Recognizer
from text_recognizer.inference.transcription import TranscribedLine, Transcription

__all__ = ["ModelInfo", "Recognizer", "TranscribedLine", "Transcription"]
