"""Keep the strips of a source in a file, because cutting them takes long."""

import logging
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from text_recognizer.core.errors import DataError
from text_recognizer.data.line_kind_strips import KindStrip
from text_recognizer.pages.strips import STRIP_HEIGHT
from text_recognizer.utils.files import replace_atomically

LOG = logging.getLogger(__name__)


def cached_strips(folder: Path | None, name: str, make: Callable[[], Iterable[KindStrip]]) -> list[KindStrip]:
    """Return the strips in `<name>.npz` of a folder; make them, and write the file, if it does not exist.

    Without a folder, the strips are made. Raises DataError if the file holds no strips.
    """
    if folder is None:
        return list(make())
    path = folder / f"{name}.npz"
    if not path.is_file():
        strips = list(make())
        write_strips(path, strips)
        LOG.info("%s: %d strips", path, len(strips))
    return read_strips(path)


def write_strips(path: Path, strips: Iterable[KindStrip]) -> None:
    """Write strips to a file: their pixels side by side, and the width, the kind and the source of each."""
    kept = list(strips)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replace_atomically(path) as draft, draft.open("wb") as stream:
        np.savez(
            stream,
            pixels=np.concatenate([np.zeros((STRIP_HEIGHT, 0), np.uint8), *(strip.pixels for strip in kept)], axis=1),
            widths=np.array([strip.pixels.shape[1] for strip in kept], dtype=np.int64),
            kinds=np.array([strip.kind for strip in kept], dtype=np.int64),
            sources=np.array([strip.source for strip in kept], dtype=np.str_),
        )


def read_strips(path: Path) -> list[KindStrip]:
    """Read the strips of a file. Raises DataError if it holds none."""
    try:
        with np.load(path, allow_pickle=False) as tables:
            pixels, widths, kinds, sources = (tables[name] for name in ("pixels", "widths", "kinds", "sources"))
    except (OSError, ValueError, KeyError) as error:
        raise DataError(f"{path} holds no strips: {error}", "delete it, so that it is written again") from None
    ends = np.cumsum(widths)
    return [
        KindStrip(np.ascontiguousarray(pixels[:, end - width : end]), int(kind), str(source))
        for end, width, kind, source in zip(ends, widths, kinds, sources, strict=True)
    ]
