"""Single characters: EMNIST, or synthetic ones as a stand-in."""

import warnings
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from text_recognizer.acquisition.emnist_files import (
    REAL,
    STAND_IN,
    Characters,
    draw_stand_in,
    fetch_emnist,
    load_characters,
)
from text_recognizer.core.charset import CHARSET
from text_recognizer.core.layout import LAYOUT
from text_recognizer.data.base_data_module import BaseDataModule

SIDE = 28  # px
TRAIN_SHARE = 0.8  # of the characters that are not for testing


class EMNIST(BaseDataModule):
    """Digits and letters, 28 x 28; `ys` is long (B,). Ids are those of `mapping`: all characters but the newline.

    `source` is what `prepare_data` reads: a path or URL of EMNIST's gzip.zip, 'nist' for its own site, or 'stand-in'
    for synthetic characters. None takes EMNIST if `folder` has it, else the stand-in, with a warning.
    """

    mapping = CHARSET[:-1]

    def __init__(
        self,
        batch_size: int = 128,
        num_workers: int = 0,
        seed: int = 0,
        source: str | None = None,
        folder: Path = LAYOUT.emnist,
    ) -> None:
        super().__init__(batch_size, seed, num_workers, augment=0.0)
        self.source, self.folder = source, folder
        self.characters: dict[str, Characters] = {}

    @property
    def is_stand_in(self) -> bool:
        """Return whether the characters are synthetic."""
        return self.source == "stand-in" or (self.source is None and not (self.folder / REAL).exists())

    @property
    def title(self) -> str:  # type: ignore[override]
        return "EMNIST Dataset" + (" (synthetic characters as a stand-in)" if self.is_stand_in else "")

    @property
    def input_dims(self) -> tuple[int, int, int]:
        return 1, SIDE, SIDE

    @property
    def output_dims(self) -> tuple[int]:
        return (1,)

    def prepare_data(self) -> None:
        """Fetch or draw the characters if `folder` does not have them; those that it has are kept."""
        if self.is_stand_in:
            if not (self.folder / STAND_IN).exists():
                draw_stand_in(self.folder)
        elif not (self.folder / REAL).exists():
            fetch_emnist(str(self.source), self.folder)

    def setup(self, stage: str | None = None) -> None:  # noqa: ARG002 (Lightning's signature; all parts lie in one file)
        """Load the characters: of those that are not for testing, TRAIN_SHARE trains and the rest validates."""
        if self.is_stand_in:
            warnings.warn(
                "EMNIST is not here, so synthetic characters stand in for it: metrics on them say little about "
                "handwriting. `text-recognizer fetch --emnist nist` fetches EMNIST, 0.5 GB",
                stacklevel=2,
            )
        loaded = load_characters(self.folder / (STAND_IN if self.is_stand_in else REAL))
        ink, ids = loaded["train"]
        first, rest = _divide(ids)
        self.characters = {"train": (ink[first], ids[first]), "val": (ink[rest], ids[rest]), "test": loaded["test"]}
        self.data_train, self.data_val, self.data_test = (CharacterDataset(*part) for part in self.characters.values())


def _divide(ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices that train and those that validate, the same share of each class."""
    rng = np.random.default_rng((42, *b"split"))
    per_class = [rng.permutation(np.flatnonzero(ids == index)) for index in np.unique(ids)]
    cuts = [round(TRAIN_SHARE * len(part)) for part in per_class]
    first = np.concatenate([part[:cut] for part, cut in zip(per_class, cuts, strict=True)])
    return first, np.concatenate([part[cut:] for part, cut in zip(per_class, cuts, strict=True)])


class CharacterDataset(Dataset):
    """Characters as `(x, y)`: ink, float (1, 28, 28) in 0..1, and an id, long ()."""

    def __init__(self, ink: np.ndarray, ids: np.ndarray) -> None:
        self.ink, self.ids = ink, ids

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        ink = torch.from_numpy(self.ink[index].astype(np.float32) / 255)[None]
        return ink, torch.tensor(int(self.ids[index]), dtype=torch.long)
