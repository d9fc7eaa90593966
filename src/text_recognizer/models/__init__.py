"""Networks, in plain torch."""

from text_recognizer.models.paragraph_reader import ParagraphReader

__all__ = ["ParagraphReader"]
