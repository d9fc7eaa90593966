"""The base of data modules on packed data. It packs the data if there are none."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Generic, TypeVar

from torch.utils.data import Dataset

from text_recognizer.core import config
from text_recognizer.core.errors import DataError
from text_recognizer.core.layout import LAYOUT
from text_recognizer.corpora.packed_lines import PackedLines
from text_recognizer.corpora.packed_pages import PackedSplit
from text_recognizer.data.base_data_module import BaseDataModule

SPLITS = ("train", "validation", "test")
NEEDED = {"fit": ("train", "validation"), "validate": ("validation",), "test": ("test",)}
Pack = TypeVar("Pack", PackedSplit, PackedLines)
log = logging.getLogger(__name__)


class PackedModule(BaseDataModule, Generic[Pack]):
    """Opens the folder `processed`. A subclass defines `_open`, which opens a split, and `_dataset`, its samples."""

    file = "{}.npy"  # that a split of this kind of data needs, by the name of the split

    def __init__(self, processed: Path, batch_size: int, seed: int, num_workers: int, augment: float) -> None:
        super().__init__(batch_size, seed, num_workers, augment)
        self.processed = processed
        self.splits: dict[str, Pack] = {}
        self._opened: dict[str, Pack] = {}

    def prepare_data(self) -> None:
        """Fetch and pack the data of `params.yaml`, by default the sample, if the pipeline's folder has none.

        Raises DataError if that fails, or if another folder has none.
        """
        if self._packed("train"):
            return
        if self.processed != LAYOUT.processed:
            what = f"{self.processed} has no {self.file.format('train')}"
            raise DataError(what, "run `text-recognizer preprocess`, or name the folder that has it")
        fetch_and_pack()

    def setup(self, stage: str | None = None) -> None:
        """Open the splits that the stage ('fit', 'validate' or 'test') needs; None opens all of them."""
        self.splits |= {name: self._split(name) for name in NEEDED.get(stage or "", SPLITS)}
        held = {name: self._dataset(split) for name, split in self.splits.items()}
        self.data_train, self.data_val, self.data_test = (held.get(name) for name in SPLITS)

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
        """Yield the texts of all splits that are packed. Raises DataError if none is."""
        self._split("train")
        for name in SPLITS:
            if name in self._opened or self._packed(name):
                yield from self._split(name).texts


def fetch_and_pack() -> None:
    """Do the work of the stages fetch and preprocess, without their reports, as `params.yaml` says.

    The sources are fetched only if none is there. Raises ConfigError or DataError.
    """
    # Imported here, because a module on packed data does not need them.
    from text_recognizer.acquisition.sources import fetch_all
    from text_recognizer.corpora.page_sources import page_sources
    from text_recognizer.preprocess import Sources, locally, pack
    from text_recognizer.preprocess.accepted_corrections import accepted_corrections

    params = config.load()
    workers = params.runtime.workers
    pages = page_sources(params.data, LAYOUT.raw, LAYOUT.found_lines)
    if not any(source.archive.exists() for source in pages):
        log.info("fetching %s", params.data.addresses)
        fetch_all(params.data, params.synthetic, LAYOUT.raw, workers)
    log.info("packing %s", ", ".join(str(source.archive) for source in pages))
    corrections = accepted_corrections(LAYOUT.feedback, LAYOUT.validation)
    sources = Sources(pages, params.data, corrections, params.synthetic)
    pack(sources, params.preprocess, LAYOUT.processed, locally(workers))
