"""Where a page comes from: what the formats say about the picture, beside what was read on it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from text_recognizer.core import schemas


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)


@dataclass(frozen=True)
class PictureSource:
    """The picture of a page. `name` is its file name, and `number` its place among the `count` pages of that file.

    `pixels` is the picture itself, uint8 (H, W, 3) or (H, W), upright by EXIF; only a PDF needs it. `dpi` is None if
    nobody knows the resolution. `model` and `runtime` say what read the page; see `Recognizer.digest`.
    """

    name: str
    pixels: np.ndarray | None = None
    number: int = 1
    count: int = 1
    dpi: float | None = None
    model: str = ""
    runtime: str = ""
    created: datetime = field(default_factory=_now)

    def size(self, page: schemas.Page) -> tuple[int, int]:
        """Return the width and height of the picture: those of the page, else of the pixels, else what was read on."""
        if page.width and page.height:
            return page.width, page.height
        if self.pixels is not None:
            return self.pixels.shape[1], self.pixels.shape[0]
        boxes = [line.box for line in page.lines]
        return max((box.right for box in boxes), default=1), max((box.bottom for box in boxes), default=1)
