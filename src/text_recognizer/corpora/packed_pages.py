"""The packed pages of a split: `<split>.npy`, which is memory-mapped, and `<split>.jsonl` with the labels.

The splits of a folder share `source.json`, which holds the kind of source that they came from, and the name and the
weight of each source if there are several. The rows of such splits name their source.
"""

import dataclasses
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np

from text_recognizer.core.data_params import DataSection
from text_recognizer.core.errors import DataError
from text_recognizer.core.geometry import Box
from text_recognizer.core.params import Kind
from text_recognizer.utils.files import write_json

SOURCE_FILE = "source.json"
RUN_AGAIN = "run `text-recognizer preprocess` again"


@dataclass(frozen=True)
class PackedPage:
    """The labels of a packed paragraph. `boxes` has the box of each line, in pixels of the canvas.

    `size` is the width and height of the paragraph on the canvas, and `dpi` its resolution there, which is lower than
    the requested one if the paragraph was shrunk to fit. Both are 0 if they are unknown. `source` is the name of its
    source; empty if there is only one, and for corrections and added synthetic pages.
    """

    id: str
    writer: str
    text: str
    boxes: tuple[Box, ...]
    size: tuple[int, int] = (0, 0)
    dpi: float = 0.0
    source: str = ""


@dataclass(frozen=True)
class PackedSource:
    """A source of packed pages: how often its pages are trained on, and whether the gate judges its test part."""

    name: str
    weight: float = 1.0
    counts_in_gate: bool = True


@dataclass(frozen=True)
class PackedSplit:
    """The pages of a split. `canvases` is uint8 (B, H, W), dark ink on white paper; `pages[i]` labels `canvases[i]`.

    `source` is the kind of source that they came from, see `source_kind`; None if it is unknown. `sources` are the
    sources that the pages name; none if no page names one.
    """

    canvases: np.ndarray
    pages: tuple[PackedPage, ...]
    source: str | None = None
    sources: tuple[PackedSource, ...] = ()

    @classmethod
    def open(cls, folder: Path, split: str) -> "PackedSplit":
        """Open a split without reading the pictures. Raises DataError if it is missing or damaged."""
        try:
            canvases = np.load(folder / f"{split}.npy", mmap_mode="r")
            # splitlines() would also break at separators that JSON does not escape and that a name may hold.
            rows = (folder / f"{split}.jsonl").read_text(encoding="utf-8").split("\n")
            pages = tuple(_page(json.loads(row)) for row in rows if row)
            source, sources = _read_sources(folder)
            if canvases.ndim != 3 or canvases.dtype != np.uint8:
                raise ValueError(f"its pictures are {canvases.dtype} {canvases.shape}, not uint8 (B, H, W)")
        except FileNotFoundError as error:
            raise DataError(f"{error.filename} does not exist", "run `text-recognizer preprocess` first") from None
        except (ValueError, EOFError, TypeError, KeyError) as error:
            raise DataError(f"the packed split {folder / split} is damaged: {error}", RUN_AGAIN) from None
        if len(canvases) != len(pages):
            raise DataError(f"{folder / split}: {len(canvases)} pictures but {len(pages)} labels", RUN_AGAIN)
        return cls(canvases, pages, source, sources)

    def save(self, folder: Path, split: str) -> None:
        """Write the split to its two files in the folder."""
        shape = tuple(self.canvases.shape[1:])
        write_split(folder, split, len(self), shape, zip(self.canvases, self.pages, strict=True))

    def __len__(self) -> int:
        return len(self.pages)

    @property
    def texts(self) -> Sequence[str]:
        """The text of each page."""
        return [page.text for page in self.pages]

    @property
    def weights(self) -> np.ndarray:
        """How often each page is trained on, beside the others, float64 (B,)."""
        by_name = {source.name: source.weight for source in self.sources}
        return np.array([by_name.get(page.source, 1.0) for page in self.pages])

    @property
    def uncounted(self) -> frozenset[str]:
        """The names of the sources whose test part the gate does not judge."""
        return frozenset(source.name for source in self.sources if not source.counts_in_gate)

    def counted(self) -> "PackedSplit":
        """Return the split without the pages of those sources."""
        if not self.uncounted:
            return self
        kept = [index for index, page in enumerate(self.pages) if page.source not in self.uncounted]
        pages = tuple(self.pages[index] for index in kept)
        return dataclasses.replace(self, canvases=self.canvases[kept], pages=pages)


def source_kind(source: str) -> str:
    """Return the name that scores and the limits of the gate use for an address. A path or URL is an `archive`."""
    name = "iam" if source.startswith("iam:") else source
    return name if name in get_args(Kind) else "archive"


def data_kind(data: DataSection) -> str:
    """Return the kind of source that all of `data.sources` have; several kinds together are an `archive`."""
    kinds = {source_kind(entry.address) for entry in data.sources}
    return kinds.pop() if len(kinds) == 1 else "archive"


def packed_sources(data: DataSection) -> tuple[PackedSource, ...]:
    """Return the sources that pages must name. A single source of the usual weight need not be told apart."""
    if len(data.sources) == 1 and data.sources[0].weight == 1:
        return ()
    return tuple(PackedSource(entry.label, entry.weight, entry.counts_in_gate) for entry in data.sources)


def write_source(folder: Path, source: str, sources: Sequence[PackedSource] = ()) -> None:
    """Record in a folder of packed splits the kind of an address, and the sources that pages name."""
    named = {"sources": [dataclasses.asdict(one) for one in sources]} if sources else {}
    write_json(folder / SOURCE_FILE, {"source": source_kind(source), **named})


def _read_sources(folder: Path) -> tuple[str | None, tuple[PackedSource, ...]]:
    path = folder / SOURCE_FILE
    if not path.exists():
        return None, ()
    record = json.loads(path.read_text(encoding="utf-8"))
    return str(record["source"]), tuple(PackedSource(**row) for row in record.get("sources", ()))


def write_split(
    folder: Path, split: str, count: int, shape: tuple[int, ...], pages: Iterable[tuple[np.ndarray, PackedPage]]
) -> None:
    """Write a split page by page, so that only one picture, uint8 of `shape`, is in memory at a time.

    Raises ValueError if there are not `count` pages, or a picture has another shape.
    """
    header = {"descr": np.dtype(np.uint8).str, "fortran_order": False, "shape": (count, *shape)}
    written = 0
    with (folder / f"{split}.npy").open("wb") as canvases, (folder / f"{split}.jsonl").open("wb") as labels:
        np.lib.format.write_array_header_1_0(canvases, header)
        for canvas, page in pages:
            if canvas.shape != shape or canvas.dtype != np.uint8:
                raise ValueError(f"{page.id} is {canvas.dtype} {canvas.shape}, not uint8 {shape}")
            canvases.write(np.ascontiguousarray(canvas).data)
            labels.write(json.dumps(_row(page), ensure_ascii=False).encode() + b"\n")
            written += 1
    if written != count:
        raise ValueError(f"{split} has {written} pages, not {count}")


def _row(page: PackedPage) -> dict[str, Any]:
    """Return the labels of a page as they are written: without a source if it names none."""
    return {key: value for key, value in dataclasses.asdict(page).items() if key != "source" or value}


def _page(row: dict[str, Any]) -> PackedPage:
    boxes = tuple(Box(*box) for box in row["boxes"])
    width, height = row.get("size", (0, 0))
    return PackedPage(
        row["id"], row["writer"], row["text"], boxes, (width, height), row.get("dpi", 0.0), row.get("source", "")
    )
