"""The base of the lab's data modules: their arguments, their loaders, and how they describe themselves."""

import argparse
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from text_recognizer.core.charset import CHARSET
from text_recognizer.core.errors import DataError
from text_recognizer.data.augmentation import augment_pages
from text_recognizer.data.samplers import EpochSampler, EvenBatches, Process

# Settings that a command line may give, if a module's constructor has them: type, and meaning.
ARGUMENTS: dict[str, tuple[Callable[[str], Any], str]] = {
    "processed": (Path, "folder that `text-recognizer preprocess` packed"),
    "batch_size": (int, "samples per step"),
    "num_workers": (int, "processes that load samples; 0 loads between steps"),
    "seed": (int, "of the order and of random draws"),
    "augment": (float, "strength of the augmentation in training, 0 to 1; 0 is none"),
    "source": (str, "source of EMNIST: a path or URL of its gzip.zip, 'nist' for its own site, 'stand-in'"),
    "max_length": (int, "most characters in a line"),
    "min_overlap": (float, "least overlap of neighbouring characters, as a share of their width"),
    "max_overlap": (float, "largest overlap of neighbouring characters, as a share of their width"),
    "num_train": (int, "lines to train on"),
    "num_val": (int, "lines to validate on"),
    "num_test": (int, "lines to test on"),
    "with_start_end_tokens": (bool, "put <S> before each text and <E> after it"),
}


class BaseDataModule(pl.LightningDataModule):
    """Yields batches `xs, ys`: ink, float (B, 1, H, W) in 0..1, and ids of `mapping`, long (B, T).

    `prepare_data` makes or fetches what is missing on disk, `setup` opens it. A model is made from `config`. `mapping`
    is the lab's name for the vocabulary.
    """

    mapping: tuple[str, ...] = CHARSET
    title = "Dataset"

    def __init__(self, batch_size: int, seed: int, num_workers: int, augment: float) -> None:
        super().__init__()
        self.batch_size, self.seed, self.num_workers, self.augment = batch_size, seed, num_workers, augment
        self.data_train: Dataset | None = None
        self.data_val: Dataset | None = None
        self.data_test: Dataset | None = None

    @classmethod
    def add_to_argparse(cls, parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
        """Add the settings of this module, with its defaults. `from_args` reads them back."""
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
        """Make a module with those of `args` that its constructor has; ignore the others."""
        return cls(**{name: value for name, value in vars(args).items() if name in cls._settings()})

    @classmethod
    def _settings(cls) -> dict[str, inspect.Parameter]:
        return {name: setting for name, setting in inspect.signature(cls).parameters.items() if name != "self"}

    @property
    def input_dims(self) -> tuple[int, ...]:
        """Return the shape of one x."""
        raise NotImplementedError

    @property
    def output_dims(self) -> tuple[int, ...]:
        """Return the shape of one y, as the lab writes it: `(T, 1)`."""
        raise NotImplementedError

    @property
    def inverse_mapping(self) -> dict[str, int]:
        return {token: index for index, token in enumerate(self.mapping)}

    def config(self) -> dict[str, Any]:
        """Return what a model is made from: `input_dims`, `output_dims` and `mapping`."""
        return {"input_dims": self.input_dims, "output_dims": self.output_dims, "mapping": self.mapping}

    @property
    def process(self) -> Process:
        """Return this process's rank among those that train together; `batch_size` is that of each process."""
        return Process(self.trainer.global_rank, self.trainer.world_size) if self.trainer else Process()

    def train_dataloader(self) -> DataLoader:
        """Yield every sample once per epoch, in an order that is a function of the seed and the epoch."""
        samples = len(self.data_train)  # type: ignore[arg-type]
        return self._loader(self.data_train, sampler=EpochSampler(samples, samples, self.seed, self.process))

    def val_dataloader(self) -> DataLoader:
        return self._loader(self.data_val)

    def test_dataloader(self) -> DataLoader:
        return self._loader(self.data_test)

    def _loader(self, dataset: Dataset | None, sampler: Sampler | None = None) -> DataLoader:
        if dataset is None:
            raise RuntimeError(f"{type(self).__name__} has no data yet: call prepare_data() and setup() first")
        settings = {**self._worker_settings(), "collate_fn": self._collate()}
        if sampler is None and self.process.world_size > 1:
            batches = EvenBatches(len(dataset), self.batch_size, self.process)
            return DataLoader(dataset, batch_sampler=batches, **settings)
        return DataLoader(dataset, self.batch_size, sampler=sampler, **settings)

    def _worker_settings(self) -> dict[str, Any]:
        """Return a DataLoader's settings of its processes: they stay from epoch to epoch; a GPU gets pinned memory."""
        return {
            "num_workers": self.num_workers,
            "persistent_workers": self.num_workers > 0,
            "pin_memory": torch.cuda.is_available(),
        }

    def _collate(self) -> Callable[[list[Any]], Any] | None:
        """Return the function that makes a batch of samples; None stacks them."""
        return None

    def on_after_batch_transfer(self, batch: object, _: int) -> object:
        """Augment a training batch on its device; leave batches of validation and test unchanged."""
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
        sizes = ", ".join("none" if part is None else str(len(part)) for part in held)
        lines.append(f"Train/val/test sizes: {sizes}")
        for name, part, loader in (
            ("Train", self.data_train, self.train_dataloader),
            ("Test", self.data_test, self.test_dataloader),
        ):
            if part is not None:
                lines += self._describe(name, next(iter(loader())))
        return "\n".join(lines)

    def _describe(self, name: str, batch: Any) -> list[str]:  # noqa: ANN401
        """Return lines that describe a batch."""
        xs, ys = batch
        return [
            f"{name} batch x: {_shape(xs)}, min {xs.min():.2f}, mean {xs.mean():.3f}, "
            f"std {xs.std():.3f}, max {xs.max():.2f}",
            f"{name} batch y: {_shape(ys)}, min {ys.min()}, max {ys.max()}",
        ]


def _shape(tensor: Tensor) -> str:
    return f"{tuple(tensor.shape)} {str(tensor.dtype).removeprefix('torch.')}"


def to_foreground(canvas: Tensor) -> Tensor:
    """Convert dark ink on paper of 255, uint8 of any shape, to ink of 1 on paper of 0, float32."""
    return 1.0 - canvas.to(torch.float32) / 255.0
