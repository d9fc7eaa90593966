"""Fitting a model on packed paragraphs."""

from text_recognizer.training.fit import train

__all__ = ["train"]
