"""Lines composed of EMNIST's characters, as in the FSDL lab."""

import re
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from text_recognizer.acquisition.emnist_files import Characters
from text_recognizer.core.charset import CHARSET, INDEX, encode_padded
from text_recognizer.core.layout import LAYOUT
from text_recognizer.data.base_data_module import BaseDataModule
from text_recognizer.data.emnist import EMNIST, SIDE
from text_recognizer.synthetic.prose import prose_by_split

END_TOKENS = 2  # that fit beside every text, whether it gets them or not


class EMNISTLines(BaseDataModule):
    """Sentences of the built-in text, character by character; `ys` is the characters, then `<P>`, as in the lab.

    `with_start_end_tokens` puts `<S>` before them and `<E>` after them. Neighbours overlap by a share of their width
    that is drawn for each line. Line `n` of a split is a function of the seed. `source` and `folder` are EMNIST's.
    """

    mapping = CHARSET[:-1]

    def __init__(
        self,
        batch_size: int = 128,
        num_workers: int = 0,
        seed: int = 0,
        augment: float = 0.0,
        max_length: int = 32,
        min_overlap: float = 0.0,
        max_overlap: float = 0.33,
        num_train: int = 10_000,
        num_val: int = 2_000,
        num_test: int = 2_000,
        with_start_end_tokens: bool = False,
        source: str | None = None,
        folder: Path = LAYOUT.emnist,
    ) -> None:
        super().__init__(batch_size, seed, num_workers, augment)
        self.max_length, self.overlap = max_length, (min_overlap, max_overlap)
        self.sizes = {"train": num_train, "val": num_val, "test": num_test}
        self.with_start_end_tokens = with_start_end_tokens
        self.emnist = EMNIST(source=source, folder=folder)

    @property
    def title(self) -> str:  # type: ignore[override]
        low, high = self.overlap
        return self.emnist.title.replace("EMNIST", "EMNIST Lines", 1) + f"\nOverlap: {low} to {high}"

    @property
    def input_dims(self) -> tuple[int, int, int]:
        return 1, SIDE, SIDE * self.max_length

    @property
    def output_dims(self) -> tuple[int, int]:
        return self.max_length, 1

    def prepare_data(self) -> None:
        self.emnist.prepare_data()

    def setup(self, stage: str | None = None) -> None:  # noqa: ARG002 (Lightning's signature; all parts lie in one file)
        self.emnist.setup()
        self.data_train, self.data_val, self.data_test = (
            ComposedLines(self, part, sentences(split), number)
            for number, (part, split) in enumerate((("train", "train"), ("val", "validation"), ("test", "test")))
        )


class ComposedLines(Dataset):
    """Lines as `(x, y)`: ink, float (1, 28, 28 * max_length) in 0..1, and ids, long (max_length,)."""

    def __init__(self, module: EMNISTLines, part: str, texts: list[str], number: int) -> None:
        self.module, self.texts, self.size, self.number = module, texts, module.sizes[part], number
        self.by_character = _by_character(module.emnist.characters[part])

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        if not 0 <= index < self.size:
            raise IndexError(index)
        module = self.module
        rng = np.random.default_rng((module.seed, self.number, index))
        text = _excerpt(self.texts[rng.integers(len(self.texts))], module.max_length - END_TOKENS, rng)
        ink = self._compose(text, rng.uniform(*module.overlap), rng)
        ids = encode_padded(text, module.max_length, module.with_start_end_tokens)
        return torch.from_numpy(ink.astype(np.float32) / 255)[None], torch.tensor(ids, dtype=torch.long)

    def _compose(self, text: str, overlap: float, rng: np.random.Generator) -> np.ndarray:
        """Compose a line, uint8 (28, 28 * max_length). Within a line a character always looks the same."""
        line = np.zeros((SIDE, SIDE * self.module.max_length), dtype=np.uint16)
        step = SIDE - int(overlap * SIDE)
        drawn: dict[str, np.ndarray] = {}
        for position, character in enumerate(text):
            if character == " ":
                continue
            if character not in drawn:
                samples = self.by_character[character]
                drawn[character] = samples[rng.integers(len(samples))]
            line[:, position * step : position * step + SIDE] += drawn[character]
        return np.minimum(line, 255).astype(np.uint8)


def sentences(split: str) -> list[str]:
    """Return the sentences of a split of the built-in text, with letters, digits and spaces only, as EMNIST has."""
    bare = (" ".join(re.sub("[^A-Za-z0-9 ]", "", line).split()) for line in prose_by_split(1)[split].sentences)
    return [line for line in bare if line]


def _excerpt(sentence: str, length: int, rng: np.random.Generator) -> str:
    """Draw some consecutive words, `length` characters in all at most; a longer word is cut off."""
    words = sentence.split()
    start = int(rng.integers(len(words)))
    text, count = words[start][:length], int(rng.integers(1, len(words) - start + 1))
    for word in words[start + 1 : start + count]:
        if len(text) + 1 + len(word) > length:
            break
        text += f" {word}"
    return text


def _by_character(part: Characters) -> dict[str, np.ndarray]:
    ink, ids = part
    return {character: ink[ids == INDEX[character]] for character in CHARSET if (ids == INDEX[character]).any()}
