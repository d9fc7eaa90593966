"""Networks, in plain torch. A name is imported when it is first asked for: one of them needs torchvision."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from text_recognizer.models.cnn import CNN
    from text_recognizer.models.line_cnn import LineCNN, LineCNNSimple
    from text_recognizer.models.mlp import MLP
    from text_recognizer.models.network import Network
    from text_recognizer.models.paragraph_reader import ParagraphReader
    from text_recognizer.models.resnet_transformer import ResnetTransformer

_HOMES = {
    "CNN": "cnn",
    "LineCNN": "line_cnn",
    "LineCNNSimple": "line_cnn",
    "MLP": "mlp",
    "Network": "network",
    "ParagraphReader": "paragraph_reader",
    "ResnetTransformer": "resnet_transformer",
}

__all__ = ["CNN", "MLP", "LineCNN", "LineCNNSimple", "Network", "ParagraphReader", "ResnetTransformer"]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
