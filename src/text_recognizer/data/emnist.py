"""Single characters: EMNIST, or drawn ones that stand in for it."""

import warnings
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from text_recognizer import paths
from text_recognizer.data.base import BaseDataModule
from text_recognizer.data.emnist_files import (
    REAL,
    STAND_IN,
    Characters,
    draw_stand_in,
    fetch_emnist,
    load_characters,
)
from text_recognizer.text import MAPPING

SIDE = 28  # px
TRAIN_SHARE = 0.8  # of what is not for testing


class EMNIST(BaseDataModule):
    """Digits and letters, 28 x 28; `ys` is long (B,). Ids are those of `mapping`: all characters but the newline.

    `source` says where `prepare_data` takes them from: a path or URL of EMNIST's gzip.zip, 'nist' for its own site,
    'stand-in' for drawn ones; None takes EMNIST if `folder` has it, else the stand-in, with a warning.
    """

    mapping = MAPPING[:-1]

    def __init__(
        self,
        batch_size: int = 128,
        num_workers: int = 0,
        seed: int = 0,
        source: str | None = None,
        folder: Path = paths.EMNIST,
    ) -> None:
        super().__init__(batch_size, num_workers, seed, augment=0.0)
        self.source, self.folder = source, folder
        self.parts: dict[str, Characters] = {}

    @property
    def stands_in(self) -> bool:
        """Whether the characters are drawn ones."""
        return self.source == "stand-in" or (self.source is None and not (self.folder / REAL).exists())

    @property
    def title(self) -> str:  # type: ignore[override]
        return "EMNIST Dataset" + (" (drawn characters stand in for it)" if self.stands_in else "")

    @property
    def input_dims(self) -> tuple[int, int, int]:
        return 1, SIDE, SIDE

    @property
    def output_dims(self) -> tuple[int]:
        return (1,)

    def prepare_data(self) -> None:
        """Fetches or draws what is not there yet; what is there is kept, wherever it came from."""
        if self.stands_in:
            if not (self.folder / STAND_IN).exists():
                draw_stand_in(self.folder)
        elif not (self.folder / REAL).exists():
            fetch_emnist(str(self.source), self.folder)

    def setup(self, stage: str | None = None) -> None:  # noqa: ARG002 (Lightning's signature; all parts lie in one file)
        """Loads the characters: four fifths of those that are not for testing train, the rest validate."""
        if self.stands_in:
            warnings.warn(
                "EMNIST is not here, so drawn characters stand in for it: what is measured on them says little about "
                "people's writing. `text-recognizer fetch --emnist nist` fetches the real ones, 0.5 GB",
                stacklevel=2,
            )
        loaded = load_characters(self.folder / (STAND_IN if self.stands_in else REAL))
        ink, ids = loaded["train"]
        first, rest = _divided(ids)
        self.parts = {"train": (ink[first], ids[first]), "val": (ink[rest], ids[rest]), "test": loaded["test"]}
        self.data_train, self.data_val, self.data_test = (CharacterDataset(*part) for part in self.parts.values())


def _divided(ids: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Indices of what trains and of what validates, the same share of each class."""
    rng = np.random.default_rng((42, *b"split"))
    own = [rng.permutation(np.flatnonzero(ids == index)) for index in np.unique(ids)]
    cuts = [round(TRAIN_SHARE * len(part)) for part in own]
    first = np.concatenate([part[:cut] for part, cut in zip(own, cuts, strict=True)])
    return first, np.concatenate([part[cut:] for part, cut in zip(own, cuts, strict=True)])


class CharacterDataset(Dataset):
    """Characters as `(x, y)`: ink, float (1, 28, 28) in 0..1, and an id, long ()."""

    def __init__(self, ink: np.ndarray, ids: np.ndarray) -> None:
        self.ink, self.ids = ink, ids

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        ink = torch.from_numpy(self.ink[index].astype(np.float32) / 255)[None]
        return ink, torch.tensor(int(self.ids[index]), dtype=torch.long)
