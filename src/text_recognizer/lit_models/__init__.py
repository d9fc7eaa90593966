"""Models with their loss, optimiser and metrics, as Lightning trains them.

All of them derive from BaseLitModel: one optimiser set-up, one average of the weights (EMA), one place that logs CER.
"""

from text_recognizer.lit_models.base import BaseLitModel, OptimizerConfig
from text_recognizer.lit_models.ctc import CTCLitModel
from text_recognizer.lit_models.experiment import ClassifierLitModel, ExperimentLitModel
from text_recognizer.lit_models.reader_training import LineReaderLitModel
from text_recognizer.lit_models.transformer import TransformerLitModel

__all__ = [
    "BaseLitModel",
    "CTCLitModel",
    "ClassifierLitModel",
    "ExperimentLitModel",
    "LineReaderLitModel",
    "OptimizerConfig",
    "TransformerLitModel",
]
