"""Data modules on what the pipeline packed, and how they have it packed where nothing is."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from torch.utils.data import Dataset

from text_recognizer import paths
from text_recognizer.data.base import BaseDataModule
from text_recognizer.data.packed import PackedSplit
from text_recognizer.errors import DataError

PARTS = ("train", "validation", "test")
NEEDED = {"fit": ("train", "validation"), "validate": ("validation",), "test": ("test",)}


class PackedModule(BaseDataModule):
    """Opens the folder `processed`; a subclass says by `_dataset` what a sample of a split is."""

    def __init__(self, processed: Path, batch_size: int, num_workers: int, seed: int, augment: float) -> None:
        super().__init__(batch_size, num_workers, seed, augment)
        self.processed = processed
        self.splits: dict[str, PackedSplit] = {}
        self._opened: dict[str, PackedSplit] = {}

    def prepare_data(self) -> None:
        """Where nothing is packed, runs the stages that pack it, as `params.yaml` says: by default the sample.

        Raises DataError where a stage fails, or a folder other than the pipeline's is empty.
        """
        if (self.processed / "train.npy").exists():
            return
        if self.processed != paths.PROCESSED:
            raise DataError(f"{self.processed} holds no packed pages", "pack them, or name the folder that has them")
        for stage in ("preprocess",) if paths.ARCHIVE.exists() else ("fetch", "preprocess"):
            _run(stage)

    def setup(self, stage: str | None = None) -> None:
        """Opens the splits that the stage ('fit', 'validate' or 'test') needs; all of them where none is named."""
        self.splits |= {name: self._split(name) for name in NEEDED.get(stage or "", PARTS)}
        held = {name: self._dataset(split) for name, split in self.splits.items()}
        self.data_train, self.data_val, self.data_test = (held.get(name) for name in PARTS)

    def _dataset(self, split: PackedSplit) -> Dataset:
        raise NotImplementedError

    def _split(self, name: str) -> PackedSplit:
        if name not in self._opened:
            self._opened[name] = PackedSplit.open(self.processed, name)
        return self._opened[name]

    def _texts(self) -> Iterator[str]:
        """Of every page that is packed, in any split. Raises DataError where none is."""
        self._split("train")
        for name in PARTS:
            if name in self._opened or (self.processed / f"{name}.npy").exists():
                yield from self._split(name).texts


def _run(stage: str) -> None:
    """One stage of the pipeline in a process of its own: packing belongs to a room that this one must not know."""
    print(f"running `text-recognizer {stage}`", file=sys.stderr, flush=True)
    done = subprocess.run([sys.executable, "-m", "text_recognizer", stage], check=False)
    if done.returncode:
        raise DataError(f"`text-recognizer {stage}` failed", "see what it said above")
