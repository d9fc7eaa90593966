"""Models with their loss, optimiser and metrics, as Lightning trains them."""

from text_recognizer.lit_models.ctc import CTCLitModel

__all__ = ["CTCLitModel"]
