"""Networks, in plain torch. A name is imported when it is first asked for: one of them needs torchvision."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from text_recognizer.models.paragraph_reader import ParagraphReader
    from text_recognizer.models.resnet_transformer import ResnetTransformer

__all__ = ["ParagraphReader", "ResnetTransformer"]

_MODULES = {
    "ParagraphReader": "paragraph_reader",
    "ResnetTransformer": "resnet_transformer",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401
    if name in _MODULES:
        return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_MODULES])
