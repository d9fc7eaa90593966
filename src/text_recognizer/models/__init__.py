"""Networks in plain torch. Each is imported when it is first named, because one of them needs torchvision."""

from typing import TYPE_CHECKING

from text_recognizer.utils.lazy_imports import lazy_attributes

if TYPE_CHECKING:
    from text_recognizer.models.cnn import CNN
    from text_recognizer.models.line_cnn import LineCNN, LineCNNSimple
    from text_recognizer.models.line_reader import LineReader
    from text_recognizer.models.mlp import MLP
    from text_recognizer.models.network import Network
    from text_recognizer.models.resnet_transformer import ResnetTransformer

_MODULES = {
    "CNN": "cnn",
    "LineCNN": "line_cnn",
    "LineCNNSimple": "line_cnn",
    "MLP": "mlp",
    "Network": "network",
    "LineReader": "line_reader",
    "ResnetTransformer": "resnet_transformer",
}

__all__ = ["CNN", "MLP", "LineCNN", "LineCNNSimple", "LineReader", "Network", "ResnetTransformer"]

__getattr__, __dir__ = lazy_attributes(__name__, _MODULES)
