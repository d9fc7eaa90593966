"""The lines of one split, packed: `<split>-lines.npy`, opened by memory map, and `<split>-lines.jsonl` beside it."""

import dataclasses
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from text_recognizer.data.packed import AGAIN
from text_recognizer.errors import DataError

HEADER = {"descr": np.dtype(np.uint8).str, "fortran_order": False}


@dataclass(frozen=True)
class Line:
    """Labels of one packed line. `box` is its `(x, y, width, height)` on its form, in px of the 300 dpi scan.

    `size` is the width and height of its picture, px.
    """

    id: str
    form: str
    writer: str
    text: str
    box: tuple[int, int, int, int]
    size: tuple[int, int]


@dataclass(frozen=True)
class PackedLines:
    """`columns` is uint8 (W, H), the columns of all pictures one after the other; `lines[i]` labels the i-th."""

    columns: np.ndarray
    lines: tuple[Line, ...]
    starts: np.ndarray

    @classmethod
    def open(cls, folder: Path, split: str) -> "PackedLines":
        """Opens without reading the pictures. Raises DataError where the pack is missing or does not fit together."""
        path = folder / f"{split}-lines.npy"
        try:
            columns = np.load(path, mmap_mode="r")
            rows = path.with_suffix(".jsonl").read_text(encoding="utf-8").split("\n")
            lines = tuple(_line(json.loads(row)) for row in rows if row)
            starts = np.cumsum([0, *(line.size[0] for line in lines)])
            if columns.ndim != 2 or columns.dtype != np.uint8 or len(columns) != starts[-1]:
                raise ValueError(f"it has {columns.dtype} {columns.shape}, not uint8 ({starts[-1]}, H)")
        except FileNotFoundError as error:
            fix = "set preprocess.lines to their height (56 in the lab), then run `text-recognizer preprocess`"
            raise DataError(f"{error.filename} does not exist: no lines are packed", fix) from None
        except (ValueError, EOFError, TypeError, KeyError) as error:
            raise DataError(f"the pack {path.with_suffix('')} is damaged: {error}", AGAIN) from None
        return cls(columns, lines, starts)

    @property
    def height(self) -> int:
        return int(self.columns.shape[1])

    def picture(self, index: int) -> np.ndarray:
        """The line, uint8 (H, w), dark ink on light paper (255)."""
        return np.asarray(self.columns[self.starts[index] : self.starts[index + 1]]).T

    def __len__(self) -> int:
        return len(self.lines)

    @property
    def texts(self) -> Sequence[str]:
        return [line.text for line in self.lines]


Add = Callable[[np.ndarray, Line], None]


@contextmanager
def writing(folder: Path, split: str, height: int) -> Iterator[Add]:
    """Gives what adds a line, uint8 (height, w), to a split's pack, so that no two need be in memory together."""
    path, width = folder / f"{split}-lines.npy", 0
    with path.open("wb") as pictures, path.with_suffix(".jsonl").open("wb") as labels:
        _write_header(pictures, 0, height)

        def add(picture: np.ndarray, line: Line) -> None:
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
    """NumPy leaves room in the header for the first side to grow, so the final one is as long as the first."""
    np.lib.format.write_array_header_1_0(stream, {**HEADER, "shape": (width, height)})


def _line(row: dict) -> Line:
    return Line(row["id"], row["form"], row["writer"], row["text"], tuple(row["box"]), tuple(row["size"]))
