"""The packed lines of a split: `<split>-lines.npy`, which is memory-mapped, and `<split>-lines.jsonl` with labels."""

import dataclasses
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from text_recognizer.core.errors import DataError
from text_recognizer.core.geometry import Box
from text_recognizer.corpora.packed_pages import RUN_AGAIN

HEADER = {"descr": np.dtype(np.uint8).str, "fortran_order": False}


@dataclass(frozen=True)
class PackedLine:
    """The labels of a packed line. `box` is where it lies on its form, in pixels of the 300 dpi scan.

    `size` is the width and height of its picture in pixels.
    """

    id: str
    form: str
    writer: str
    text: str
    box: Box
    size: tuple[int, int]


@dataclass(frozen=True)
class PackedLines:
    """The lines of a split. `columns`, uint8 (W, H), holds the pixel columns of all pictures one after the other.

    `lines[i]` labels the i-th picture, whose first column is `starts[i]`.
    """

    columns: np.ndarray
    lines: tuple[PackedLine, ...]
    starts: np.ndarray

    @classmethod
    def open(cls, folder: Path, split: str) -> "PackedLines":
        """Open the lines without reading the pictures. Raises DataError if they are missing or damaged."""
        path = folder / f"{split}-lines.npy"
        try:
            columns = np.load(path, mmap_mode="r")
            rows = path.with_suffix(".jsonl").read_text(encoding="utf-8").split("\n")
            lines = tuple(_line(json.loads(row)) for row in rows if row)
            starts = np.cumsum([0, *(line.size[0] for line in lines)])
            if columns.ndim != 2 or columns.dtype != np.uint8 or len(columns) != starts[-1]:
                raise ValueError(f"it has {columns.dtype} {columns.shape}, not uint8 ({starts[-1]}, H)")
        except FileNotFoundError as error:
            fix = "set preprocess.line_height to their height (56 in the lab), then run `text-recognizer preprocess`"
            raise DataError(f"{error.filename} does not exist: no lines are packed", fix) from None
        except (ValueError, EOFError, TypeError, KeyError) as error:
            raise DataError(f"the packed lines {path.with_suffix('')} are damaged: {error}", RUN_AGAIN) from None
        return cls(columns, lines, starts)

    @property
    def height(self) -> int:
        """The height of every line, in pixels."""
        return int(self.columns.shape[1])

    def picture(self, index: int) -> np.ndarray:
        """Return the picture of a line, uint8 (H, w), dark ink on white paper."""
        return np.asarray(self.columns[self.starts[index] : self.starts[index + 1]]).T

    def __len__(self) -> int:
        return len(self.lines)

    @property
    def texts(self) -> Sequence[str]:
        """The text of each line."""
        return [line.text for line in self.lines]


AddLine = Callable[[np.ndarray, PackedLine], None]


@contextmanager
def line_writer(folder: Path, split: str, height: int) -> Iterator[AddLine]:
    """Yield a function that adds a line, uint8 (height, w), to a split. Only one line is in memory at a time."""
    path, width = folder / f"{split}-lines.npy", 0
    with path.open("wb") as pictures, path.with_suffix(".jsonl").open("wb") as labels:
        _write_header(pictures, 0, height)

        def add(picture: np.ndarray, line: PackedLine) -> None:
            nonlocal width
            if picture.shape != (height, line.size[0]) or picture.dtype != np.uint8:
                raise ValueError(f"{line.id} is {picture.dtype} {picture.shape}, not uint8 ({height}, {line.size[0]})")
            pictures.write(np.ascontiguousarray(picture.T).data)
            labels.write(json.dumps(dataclasses.asdict(line), ensure_ascii=False).encode() + b"\n")
            width += picture.shape[1]

        yield add
        pictures.seek(0)
        _write_header(pictures, width, height)


def _write_header(stream: BinaryIO, width: int, height: int) -> None:
    """Write the header of the .npy file.

    NumPy leaves room in the header for the first axis to grow, so the final header is as long as the first one.
    """
    np.lib.format.write_array_header_1_0(stream, {**HEADER, "shape": (width, height)})


def _line(row: dict[str, Any]) -> PackedLine:
    width, height = row["size"]
    return PackedLine(row["id"], row["form"], row["writer"], row["text"], Box(*row["box"]), (width, height))
