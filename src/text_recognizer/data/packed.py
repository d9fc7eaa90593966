"""One split packed for training and evaluation: `<split>.npy`, opened by memory map, and `<split>.jsonl` beside it."""

import dataclasses
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from text_recognizer.errors import DataError

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
    """`canvases` is uint8 (N, H, W), dark ink on light paper (255); `pages[i]` labels `canvases[i]`."""

    canvases: np.ndarray
    pages: tuple[Page, ...]

    @classmethod
    def open(cls, folder: Path, split: str) -> "PackedSplit":
        """Opens without reading the pictures. Raises DataError where the pack is missing or does not fit together."""
        try:
            canvases = np.load(folder / f"{split}.npy", mmap_mode="r")
            # Not splitlines(): it also breaks at separators that a name may hold and JSON leaves as they are.
            rows = (folder / f"{split}.jsonl").read_text(encoding="utf-8").split("\n")
            pages = tuple(_page(json.loads(row)) for row in rows if row)
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
        return cls(canvases, pages)

    def save(self, folder: Path, split: str) -> None:
        shape = tuple(self.canvases.shape[1:])
        write_split(folder, split, len(self), shape, zip(self.canvases, self.pages, strict=True))

    def __len__(self) -> int:
        return len(self.pages)

    @property
    def texts(self) -> Sequence[str]:
        return [page.text for page in self.pages]


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
