"""Where pages come from, and how they reach the models.

The data modules are imported when they are first named: they bring torch and Lightning, which the rest can do without.
"""

from typing import TYPE_CHECKING

from text_recognizer.lazy import lazy

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

__getattr__, __dir__ = lazy(__name__, _HOMES)
