"""Read strips at once: turn them into ink, and pad those of a batch to one array."""

from collections.abc import Sequence

import numpy as np


def foreground_of(strip: np.ndarray) -> np.ndarray:
    """Return a strip, uint8 (H, W), dark on white, as float32: 1 on ink, 0 on paper."""
    foreground: np.ndarray = 1 - strip.astype(np.float32) / 255
    return foreground


def to_batch(strips: Sequence[np.ndarray], step: int) -> np.ndarray:
    """Stack strips, float32 (H, w) with 0 on paper, to (N, 1, H, W): as wide as the widest, in steps of `step`."""
    longest = max(strip.shape[1] for strip in strips)
    batch = np.zeros((len(strips), 1, len(strips[0]), longest + -longest % step), dtype=np.float32)
    for row, strip in zip(batch, strips, strict=True):
        row[0, :, : strip.shape[1]] = strip
    return batch
