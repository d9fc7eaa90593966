"""One split packed for training and evaluation: `<split>.npy`, opened by memory map, and `<split>.jsonl` beside it."""

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from text_recognizer.errors import DataError


@dataclass(frozen=True)
class Page:
    """Labels of one packed paragraph. Boxes are `(x, y, width, height)` in pixels of the canvas, origin top left."""

    id: str
    writer: str
    text: str
    boxes: tuple[tuple[int, int, int, int], ...]


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
            raise DataError(
                f"the pack {folder / split} is damaged: {error}", "run `text-recognizer preprocess` again"
            ) from None
        if len(canvases) != len(pages):
            raise DataError(
                f"{folder / split}: {len(canvases)} pictures but {len(pages)} labels",
                "run `text-recognizer preprocess` again",
            )
        return cls(canvases, pages)

    def save(self, folder: Path, split: str) -> None:
        np.save(folder / f"{split}.npy", self.canvases, allow_pickle=False)
        rows = [json.dumps(dataclasses.asdict(page), ensure_ascii=False) for page in self.pages]
        (folder / f"{split}.jsonl").write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")

    def __len__(self) -> int:
        return len(self.pages)

    @property
    def texts(self) -> Sequence[str]:
        return [page.text for page in self.pages]


def _page(row: dict) -> Page:
    return Page(row["id"], row["writer"], row["text"], tuple(tuple(box) for box in row["boxes"]))
