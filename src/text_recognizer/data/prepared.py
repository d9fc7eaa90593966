"""Data modules on what the pipeline packed, and how they have it packed where nothing is."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Generic, TypeVar

from torch.utils.data import Dataset

from text_recognizer import paths
from text_recognizer.data.base import BaseDataModule
from text_recognizer.data.packed import PackedSplit
from text_recognizer.data.packed_lines import PackedLines
from text_recognizer.errors import DataError

PARTS = ("train", "validation", "test")
NEEDED = {"fit": ("train", "validation"), "validate": ("validation",), "test": ("test",)}
Pack = TypeVar("Pack", PackedSplit, PackedLines)


class PackedModule(BaseDataModule, Generic[Pack]):
    """Opens the folder `processed`: a subclass says what of it by `_open`, and what a sample is by `_dataset`."""

    file = "{}.npy"  # of what it takes, by the name of the split

    def __init__(self, processed: Path, batch_size: int, num_workers: int, seed: int, augment: float) -> None:
        super().__init__(batch_size, num_workers, seed, augment)
        self.processed = processed
        self.splits: dict[str, Pack] = {}
        self._opened: dict[str, Pack] = {}

    def prepare_data(self) -> None:
        """Where nothing is packed, runs the stages that pack it, as `params.yaml` says: by default the sample.

        Raises DataError where a stage fails, or a folder other than the pipeline's is empty.
        """
        if self._packed("train"):
            return
        if self.processed != paths.PROCESSED:
            what = f"{self.processed} has no {self.file.format('train')}"
            raise DataError(what, "run `text-recognizer preprocess`, or name the folder that has it")
        for stage in ("preprocess",) if paths.ARCHIVE.exists() else ("fetch", "preprocess"):
            _run(stage)

    def setup(self, stage: str | None = None) -> None:
        """Opens the splits that the stage ('fit', 'validate' or 'test') needs; all of them where none is named."""
        self.splits |= {name: self._split(name) for name in NEEDED.get(stage or "", PARTS)}
        held = {name: self._dataset(split) for name, split in self.splits.items()}
        self.data_train, self.data_val, self.data_test = (held.get(name) for name in PARTS)

    def _open(self, name: str) -> Pack:
        raise NotImplementedError

    def _dataset(self, split: Pack) -> Dataset:
        raise NotImplementedError

    def _packed(self, name: str) -> bool:
        return (self.processed / self.file.format(name)).exists()

    def _split(self, name: str) -> Pack:
        if name not in self._opened:
            self._opened[name] = self._open(name)
        return self._opened[name]

    def _texts(self) -> Iterator[str]:
        """Of all that is packed, in any split. Raises DataError where nothing is."""
        self._split("train")
        for name in PARTS:
            if name in self._opened or self._packed(name):
                yield from self._split(name).texts


def _run(stage: str) -> None:
    """One stage of the pipeline in a process of its own: packing belongs to a room that this one must not know."""
    print(f"running `text-recognizer {stage}`", file=sys.stderr, flush=True)
    done = subprocess.run([sys.executable, "-m", "text_recognizer", stage], check=False)
    if done.returncode:
        raise DataError(f"`text-recognizer {stage}` failed", "see what it said above")
