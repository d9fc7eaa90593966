"""What the lab's data modules have in common: their arguments, their loaders, what they print of themselves."""

import argparse
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from text_recognizer.data.augment import augment_pages
from text_recognizer.data.rounds import EvenBatches, RoundSampler
from text_recognizer.errors import DataError
from text_recognizer.text import MAPPING

# Settings that a command line may give, where a module's constructor takes them: type, and what they mean.
ARGUMENTS: dict[str, tuple[Callable[[str], Any], str]] = {
    "processed": (Path, "folder that `text-recognizer preprocess` packed"),
    "batch_size": (int, "samples a step"),
    "num_workers": (int, "processes that load samples; 0 loads between steps"),
    "seed": (int, "of the order, and of what is drawn"),
    "augment": (float, "strength of the augmentation in training, 0 to 1; 0 is none"),
    "source": (str, "where EMNIST comes from: a path or URL of its gzip.zip, 'nist' for its own site, 'stand-in'"),
    "max_length": (int, "most characters in a line"),
    "min_overlap": (float, "least overlap of neighbouring characters, as a share of their width"),
    "max_overlap": (float, "largest overlap of neighbouring characters, as a share of their width"),
    "num_train": (int, "lines to train on"),
    "num_val": (int, "lines to validate on"),
    "num_test": (int, "lines to test on"),
    "with_start_end_tokens": (bool, "put <S> before each text and <E> after it"),
}


class BaseDataModule(pl.LightningDataModule):
    """Batches unpack as `xs, ys`: ink, float (B, 1, H, W) in 0..1, and ids of `mapping`, long (B, T).

    `prepare_data` makes or fetches what is missing on disk, `setup` opens it; `config` is what a model is built from.
    """

    mapping: tuple[str, ...] = MAPPING
    title = "Dataset"

    def __init__(self, batch_size: int, num_workers: int, seed: int, augment: float) -> None:
        super().__init__()
        self.batch_size, self.num_workers, self.seed, self.augment = batch_size, num_workers, seed, augment
        self.data_train: Dataset | None = None
        self.data_val: Dataset | None = None
        self.data_test: Dataset | None = None

    @classmethod
    def add_to_argparse(cls, parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
        """Adds the settings that this module takes, with its own defaults. `from_args` reads them back."""
        for name, (kind, meaning) in ARGUMENTS.items():
            if (setting := cls._settings().get(name)) is None:
                continue
            help_line = f"{meaning}; default: %(default)s"
            if kind is bool:
                parser.add_argument(f"--{name}", action="store_true", default=setting.default, help=help_line)
            else:
                parser.add_argument(f"--{name}", type=kind, default=setting.default, help=help_line)
        return parser

    @classmethod
    def from_args(cls, args: argparse.Namespace) -> Self:
        """A module with those of `args` that it takes; the rest are somebody else's."""
        return cls(**{name: value for name, value in vars(args).items() if name in cls._settings()})

    @classmethod
    def _settings(cls) -> dict[str, inspect.Parameter]:
        return {name: setting for name, setting in inspect.signature(cls).parameters.items() if name != "self"}

    @property
    def input_dims(self) -> tuple[int, ...]:
        """Shape of one x."""
        raise NotImplementedError

    @property
    def output_dims(self) -> tuple[int, ...]:
        """Shape of one y, as the lab writes it: `(T, 1)`."""
        raise NotImplementedError

    @property
    def inverse_mapping(self) -> dict[str, int]:
        return {token: index for index, token in enumerate(self.mapping)}

    def config(self) -> dict[str, Any]:
        """What a model is built from: `input_dims`, `output_dims` and `mapping`."""
        return {"input_dims": self.input_dims, "output_dims": self.output_dims, "mapping": self.mapping}

    @property
    def place(self) -> tuple[int, int]:
        """Which process this is, from 0, and of how many that train together; `batch_size` is that of each."""
        return (self.trainer.global_rank, self.trainer.world_size) if self.trainer else (0, 1)

    def train_dataloader(self) -> DataLoader:
        """Every sample once a round, in an order that is a function of the seed and the round."""
        samples = len(self.data_train)  # type: ignore[arg-type]
        return self._loader(self.data_train, sampler=RoundSampler(samples, samples, self.seed, *self.place))

    def val_dataloader(self) -> DataLoader:
        return self._loader(self.data_val)

    def test_dataloader(self) -> DataLoader:
        return self._loader(self.data_test)

    def _loader(self, dataset: Dataset | None, sampler: Sampler | None = None) -> DataLoader:
        if dataset is None:
            raise RuntimeError(f"{type(self).__name__} holds no data yet: call prepare_data() and setup() first")
        common = {**self._workers(), "collate_fn": self._collate()}
        rank, ranks = self.place
        if sampler is None and ranks > 1:
            batches = EvenBatches(len(dataset), self.batch_size, rank, ranks)  # type: ignore[arg-type]
            return DataLoader(dataset, batch_sampler=batches, **common)
        return DataLoader(dataset, self.batch_size, sampler=sampler, **common)

    def _workers(self) -> dict[str, Any]:
        """How a loader's processes go about it: they stay from round to round, and a GPU fetches from their memory."""
        return {
            "num_workers": self.num_workers,
            "persistent_workers": self.num_workers > 0,
            "pin_memory": torch.cuda.is_available(),
        }

    def _collate(self) -> Callable | None:
        """Makes a batch of samples; None stacks them."""
        return None

    def on_after_batch_transfer(self, batch: object, _: int) -> object:
        """Augments a training batch on the device that it has reached; validation and test are left as they are."""
        if self.augment and self.trainer and self.trainer.training and isinstance(batch, list | tuple):
            xs, *ys = batch
            if len(ys) == 1:
                return augment_pages(xs, self.augment), *ys
        return batch

    def __str__(self) -> str:
        return repr(self)

    def __repr__(self) -> str:
        lines = [self.title, f"Num classes: {len(self.mapping)}"]
        try:
            lines += [f"Dims: {self.input_dims}", f"Output dims: {self.output_dims}"]
        except DataError:
            return "\n".join([*lines, "Not prepared"])
        held = (self.data_train, self.data_val, self.data_test)
        if all(part is None for part in held):
            return "\n".join([*lines, "Not set up"])
        sizes = ", ".join("none" if part is None else str(len(part)) for part in held)  # type: ignore[arg-type]
        lines.append(f"Train/val/test sizes: {sizes}")
        for name, part, loader in (
            ("Train", self.data_train, self.train_dataloader),
            ("Test", self.data_test, self.test_dataloader),
        ):
            if part is not None:
                lines += self._batch_lines(name, next(iter(loader())))
        return "\n".join(lines)

    def _batch_lines(self, name: str, batch: tuple) -> list[str]:
        xs, ys = batch
        return [
            f"{name} batch x: {_shape(xs)}, min {xs.min():.2f}, mean {xs.mean():.3f}, "
            f"std {xs.std():.3f}, max {xs.max():.2f}",
            f"{name} batch y: {_shape(ys)}, min {ys.min()}, max {ys.max()}",
        ]


def _shape(tensor: Tensor) -> str:
    return f"{tuple(tensor.shape)} {str(tensor.dtype).removeprefix('torch.')}"


def as_ink(canvas: Tensor) -> Tensor:
    """Dark ink on paper of 255, uint8 of any shape, as ink of 1 on paper of 0, float32."""
    return 1.0 - canvas.to(torch.float32) / 255.0
