"""Models with their loss, optimiser and metrics, as Lightning trains them."""

from text_recognizer.lit_models.base import BaseLitModel
from text_recognizer.lit_models.ctc import CTCLitModel
from text_recognizer.lit_models.paragraph import ParagraphLitModel
from text_recognizer.lit_models.transformer import TransformerLitModel

__all__ = ["BaseLitModel", "CTCLitModel", "ParagraphLitModel", "TransformerLitModel"]
