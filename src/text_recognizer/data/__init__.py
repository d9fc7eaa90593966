"""Where pages come from, and how they reach the models.

The data modules are imported when they are first named: they bring torch and Lightning, which the rest can do without.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from text_recognizer.data.base import BaseDataModule
    from text_recognizer.data.emnist import EMNIST
    from text_recognizer.data.emnist_lines import EMNISTLines
    from text_recognizer.data.lines import IAMLines
    from text_recognizer.data.paragraphs import (
        IAMOriginalAndSyntheticParagraphs,
        IAMParagraphs,
        IAMSyntheticParagraphs,
    )

_HOMES = {
    "BaseDataModule": "base",
    "EMNIST": "emnist",
    "EMNISTLines": "emnist_lines",
    "IAMLines": "lines",
    "IAMOriginalAndSyntheticParagraphs": "paragraphs",
    "IAMParagraphs": "paragraphs",
    "IAMSyntheticParagraphs": "paragraphs",
}

__all__ = [
    "EMNIST",
    "BaseDataModule",
    "EMNISTLines",
    "IAMLines",
    "IAMOriginalAndSyntheticParagraphs",
    "IAMParagraphs",
    "IAMSyntheticParagraphs",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
