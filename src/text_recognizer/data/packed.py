"""One split packed for training and evaluation: `<split>.npy`, opened by memory map, and `<split>.jsonl` beside it.

`source.json`, which the splits of a folder share, says what kind of source they came from.
"""

import dataclasses
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np

from text_recognizer.config import Kind
from text_recognizer.errors import DataError
from text_recognizer.files import write_json

SOURCE_FILE = "source.json"

AGAIN = "run `text-recognizer preprocess` again"


@dataclass(frozen=True)
class Page:
    """Labels of one packed paragraph. Boxes are `(x, y, width, height)` in pixels of the canvas, origin top left.

    `size` is the width and height of the paragraph on the canvas, `dpi` its resolution there: less than what was asked
    for where it had to be shrunk to fit. Both are 0 where nobody measured them.
    """

    id: str
    writer: str
    text: str
    boxes: tuple[tuple[int, int, int, int], ...]
    size: tuple[int, int] = (0, 0)
    dpi: float = 0.0


@dataclass(frozen=True)
class PackedSplit:
    """`canvases` is uint8 (N, H, W), dark ink on light paper (255); `pages[i]` labels `canvases[i]`.

    `source` is the kind of source that they came from, as `kind_of` gives it; None where nobody said.
    """

    canvases: np.ndarray
    pages: tuple[Page, ...]
    source: str | None = None

    @classmethod
    def open(cls, folder: Path, split: str) -> "PackedSplit":
        """Opens without reading the pictures. Raises DataError where the pack is missing or does not fit together."""
        try:
            canvases = np.load(folder / f"{split}.npy", mmap_mode="r")
            # Not splitlines(): it also breaks at separators that a name may hold and JSON leaves as they are.
            rows = (folder / f"{split}.jsonl").read_text(encoding="utf-8").split("\n")
            pages = tuple(_page(json.loads(row)) for row in rows if row)
            source = _source(folder)
            if canvases.ndim != 3 or canvases.dtype != np.uint8:
                raise ValueError(f"its pictures are {canvases.dtype} {canvases.shape}, not uint8 (N, H, W)")
        except FileNotFoundError as error:
            raise DataError(f"{error.filename} does not exist", "run `text-recognizer preprocess` first") from None
        except (ValueError, EOFError, TypeError, KeyError) as error:
            raise DataError(f"the pack {folder / split} is damaged: {error}", AGAIN) from None
        if len(canvases) != len(pages):
            raise DataError(
                f"{folder / split}: {len(canvases)} pictures but {len(pages)} labels",
                AGAIN,
            )
        return cls(canvases, pages, source)

    def save(self, folder: Path, split: str) -> None:
        shape = tuple(self.canvases.shape[1:])
        write_split(folder, split, len(self), shape, zip(self.canvases, self.pages, strict=True))

    def __len__(self) -> int:
        return len(self.pages)

    @property
    def texts(self) -> Sequence[str]:
        return [page.text for page in self.pages]


def kind_of(source: str) -> str:
    """What a score and the gate's limits call a `data.source`: a path or a URL, whatever it holds, is an `archive`."""
    name = "iam" if source.startswith("iam:") else source
    return name if name in get_args(Kind) else "archive"


def write_source(folder: Path, source: str) -> None:
    """Says in the folder of a pack what kind of `data.source` it came from."""
    write_json(folder / SOURCE_FILE, {"source": kind_of(source)})


def _source(folder: Path) -> str | None:
    path = folder / SOURCE_FILE
    return str(json.loads(path.read_text(encoding="utf-8"))["source"]) if path.exists() else None


def write_split(
    folder: Path, split: str, count: int, shape: tuple[int, ...], pages: Iterable[tuple[np.ndarray, Page]]
) -> None:
    """Writes a split page by page, so that its pictures, uint8 `shape` each, need not be in memory together.

    Raises ValueError where there are not `count` pages or a picture is of another shape.
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


def _page(row: dict) -> Page:
    boxes = tuple(tuple(box) for box in row["boxes"])
    return Page(row["id"], row["writer"], row["text"], boxes, tuple(row.get("size", (0, 0))), row.get("dpi", 0.0))
