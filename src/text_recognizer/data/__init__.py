"""LightningDataModules of the pipeline and of the lab, and the samples that they draw.

A data module is imported when it is first named, because it needs torch and Lightning, which take seconds to import.
"""

from typing import TYPE_CHECKING

from text_recognizer.utils.lazy_imports import lazy_attributes

if TYPE_CHECKING:
    from text_recognizer.data.base_data_module import BaseDataModule
    from text_recognizer.data.emnist import EMNIST
    from text_recognizer.data.emnist_lines import EMNISTLines
    from text_recognizer.data.iam_lines import IAMLines
    from text_recognizer.data.iam_paragraphs import (
        IAMOriginalAndSyntheticParagraphs,
        IAMParagraphs,
        IAMSyntheticParagraphs,
    )

_MODULES = {
    "BaseDataModule": "base_data_module",
    "EMNIST": "emnist",
    "EMNISTLines": "emnist_lines",
    "IAMLines": "iam_lines",
    "IAMOriginalAndSyntheticParagraphs": "iam_paragraphs",
    "IAMParagraphs": "iam_paragraphs",
    "IAMSyntheticParagraphs": "iam_paragraphs",
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

__getattr__, __dir__ = lazy_attributes(__name__, _MODULES)
