"""Fitting models. `train` is imported when it is first asked for: it brings torch and Lightning."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from text_recognizer.training.fit import train

__all__ = ["train"]


def __getattr__(name: str) -> object:
    if name == "train":
        from text_recognizer.training.fit import train

        return train
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
