"""Put strips into batches: group them by their widths, turn them into ink, and pad those of a group to one array."""

from collections.abc import Callable, Sequence

import numpy as np

# Takes the number of strips in a batch, the width of its narrowest one, and that of a wider strip that may join it.
Fits = Callable[[int, int, int], bool]


def group_by_width(widths: Sequence[int], fits: Fits) -> list[list[int]]:
    """Return batches of indices, from the narrowest strips to the widest; a batch takes strips as long as they fit."""
    batches: list[list[int]] = []
    for index in sorted(range(len(widths)), key=widths.__getitem__):
        if batches and fits(len(batches[-1]), widths[batches[-1][0]], widths[index]):
            batches[-1].append(index)
        else:
            batches.append([index])
    return batches


def foreground_of(strip: np.ndarray) -> np.ndarray:
    """Return a strip, uint8 (H, W), dark on white, as float32: 1 on ink, 0 on paper."""
    foreground: np.ndarray = 1 - strip.astype(np.float32) / 255
    return foreground


def to_batch(strips: Sequence[np.ndarray], step: int, paper: float = 0) -> np.ndarray:
    """Stack strips (H, w) to (N, 1, H, W), padded with paper: as wide as the widest, in steps of `step` pixels."""
    longest = max(strip.shape[1] for strip in strips)
    shape = len(strips), 1, len(strips[0]), longest + -longest % step
    batch = np.full(shape, paper, dtype=strips[0].dtype)
    for row, strip in zip(batch, strips, strict=True):
        row[0, :, : strip.shape[1]] = strip
    return batch
