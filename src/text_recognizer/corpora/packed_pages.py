"""The packed pages of a split: `<split>.npy`, which is memory-mapped, and `<split>.jsonl` with the labels.

The splits of a folder share `source.json`, which holds the kind of source that they came from.
"""

import dataclasses
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import numpy as np

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
    the requested one if the paragraph was shrunk to fit. Both are 0 if they are unknown.
    """

    id: str
    writer: str
    text: str
    boxes: tuple[Box, ...]
    size: tuple[int, int] = (0, 0)
    dpi: float = 0.0


@dataclass(frozen=True)
class PackedSplit:
    """The pages of a split. `canvases` is uint8 (B, H, W), dark ink on white paper; `pages[i]` labels `canvases[i]`.

    `source` is the kind of source that they came from, see `source_kind`; None if it is unknown.
    """

    canvases: np.ndarray
    pages: tuple[PackedPage, ...]
    source: str | None = None

    @classmethod
    def open(cls, folder: Path, split: str) -> "PackedSplit":
        """Open a split without reading the pictures. Raises DataError if it is missing or damaged."""
        try:
            canvases = np.load(folder / f"{split}.npy", mmap_mode="r")
            # splitlines() would also break at separators that JSON does not escape and that a name may hold.
            rows = (folder / f"{split}.jsonl").read_text(encoding="utf-8").split("\n")
            pages = tuple(_page(json.loads(row)) for row in rows if row)
            source = _source(folder)
            if canvases.ndim != 3 or canvases.dtype != np.uint8:
                raise ValueError(f"its pictures are {canvases.dtype} {canvases.shape}, not uint8 (B, H, W)")
        except FileNotFoundError as error:
            raise DataError(f"{error.filename} does not exist", "run `text-recognizer preprocess` first") from None
        except (ValueError, EOFError, TypeError, KeyError) as error:
            raise DataError(f"the packed split {folder / split} is damaged: {error}", RUN_AGAIN) from None
        if len(canvases) != len(pages):
            raise DataError(f"{folder / split}: {len(canvases)} pictures but {len(pages)} labels", RUN_AGAIN)
        return cls(canvases, pages, source)

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


def source_kind(source: str) -> str:
    """Return the name that scores and the limits of the gate use for a `data.source`. A path or URL is an `archive`."""
    name = "iam" if source.startswith("iam:") else source
    return name if name in get_args(Kind) else "archive"


def write_source(folder: Path, source: str) -> None:
    """Record in a folder of packed splits the kind of `data.source` that they came from."""
    write_json(folder / SOURCE_FILE, {"source": source_kind(source)})


def _source(folder: Path) -> str | None:
    path = folder / SOURCE_FILE
    return str(json.loads(path.read_text(encoding="utf-8"))["source"]) if path.exists() else None


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
            labels.write(json.dumps(dataclasses.asdict(page), ensure_ascii=False).encode() + b"\n")
            written += 1
    if written != count:
        raise ValueError(f"{split} has {written} pages, not {count}")


def _page(row: dict[str, Any]) -> PackedPage:
    boxes = tuple(Box(*box) for box in row["boxes"])
    width, height = row.get("size", (0, 0))
    return PackedPage(row["id"], row["writer"], row["text"], boxes, (width, height), row.get("dpi", 0.0))
