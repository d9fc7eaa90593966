"""The drawings of the last part of `transformers.ipynb`: a trained reader on a page. `H W` pixels, `h w` cells."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from pictures.style import BLUE, GOLD, GREEN, GREY, RED, bare, shown

GLOW = LinearSegmentedColormap.from_list("glow", [(0.88, 0.35, 0.1, 0.0), (0.88, 0.35, 0.1, 0.75)])
SIZE, LETTER = 8, 0.602  # of the monospaced text above a frame, in points; a letter's width, as a share of it
SHOWN = 34  # characters of the text so far


@shown
def bands(canvas: np.ndarray, heat: np.ndarray, centres: np.ndarray, weights: np.ndarray, cell: int) -> Figure:
    """A page (H, W), the ridges that the row head draws (h, w), and how each line is pooled from them, (L, h)."""
    figure, axes = plt.subplots(1, 2, figsize=(9.6, 2.9), width_ratios=(3.2, 1), sharey=True)
    height, width = canvas.shape
    axes[0].imshow(canvas, cmap="gray", vmin=0, vmax=255, aspect="auto")
    axes[0].imshow(
        heat, cmap=GLOW, vmin=0, vmax=1.7, extent=(0, width, height, 0), aspect="auto", interpolation="bilinear"
    )
    rows = (np.arange(weights.shape[1]) + 0.5) * cell
    for line, (centre, weight) in enumerate(zip(centres, weights, strict=True)):
        axes[0].axhline(centre * cell, color=BLUE, lw=0.8, ls=":")
        axes[1].fill_betweenx(rows, weight, color=BLUE, alpha=0.35)
        axes[1].text(weight.max() * 1.04, centre * cell, f"line {line + 1}", va="center", fontsize=8, color=BLUE)
    axes[0].set(title="The page, and the ridges that the row head draws on it", xticks=[], yticks=[], ylim=(height, 0))
    axes[1].set(title="The band of each line", xticks=[], xlabel="weight of a row", xlim=(0, weights.max() * 1.35))
    return figure


@shown
def frames(canvas: np.ndarray, looks: Sequence[tuple[str, str, np.ndarray]], columns: int = 3) -> Figure:
    """The reader at work: at each moment the text so far, the character that it reads, and where it looks (H, W)."""
    rows = -(-len(looks) // columns)
    ratio = canvas.shape[0] / canvas.shape[1]
    figure, axes = plt.subplots(rows, columns, figsize=(9.6, rows * (3.1 * ratio + 0.32)), squeeze=False)
    for panel, (before, character, where) in zip(axes.flat, looks, strict=False):
        bare(panel).imshow(canvas, cmap="gray", vmin=0, vmax=255, interpolation="bilinear")
        panel.imshow(where / where.max(), cmap=GLOW, vmin=0, vmax=0.9, interpolation="bilinear")
        start, style = before[-SHOWN:], {"family": "monospace", "fontsize": SIZE, "textcoords": "offset points"}
        panel.annotate(start, (0, 1), (0, 4), xycoords="axes fraction", color=GREY, **style)
        offset = LETTER * SIZE * len(start)
        panel.annotate(character, (0, 1), (offset, 4), xycoords="axes fraction", color=RED, weight="bold", **style)
    for panel in axes.flat[len(looks) :]:
        panel.axis("off")
    return figure


@shown
def path_of_reading(canvas: np.ndarray, spots: np.ndarray, characters: Sequence[str]) -> Figure:
    """Where each character was read, (N, 2) in pixels (x, y), in the order of the reading, from blue to red."""
    figure, panel = plt.subplots(figsize=(9.6, 9.2 * canvas.shape[0] / canvas.shape[1] + 0.4))
    bare(panel).imshow(canvas, cmap="gray", vmin=-160, vmax=255, interpolation="bilinear")
    colours = LinearSegmentedColormap.from_list("time", [BLUE, GREEN, GOLD, RED])(np.linspace(0, 1, len(spots)))
    for start, stop, colour in zip(spots[:-1], spots[1:], colours, strict=False):
        same_line = abs(start[1] - stop[1]) < 1
        panel.plot(*zip(start, stop, strict=True), color=colour, lw=1.6 if same_line else 0.6, alpha=0.8,
                   ls="-" if same_line else ":")  # fmt: skip
    for (x, y), character, colour in zip(spots, characters, colours, strict=True):
        panel.annotate(character, (x, y), (0, 14), textcoords="offset points", ha="center", va="bottom", fontsize=9.5,
                       color=colour, family="monospace", weight="bold")  # fmt: skip
    panel.set(title="What was read, above where it was read", ylim=(canvas.shape[0], -0.04 * canvas.shape[0]))
    return figure


def blurred(values: np.ndarray, reach: int = 3) -> np.ndarray:
    """Single pixels (H, W) as spots that can be seen."""
    kernel = np.exp(-0.5 * (np.arange(-2 * reach, 2 * reach + 1) / reach) ** 2)
    for axis in (0, 1):
        values = np.apply_along_axis(np.convolve, axis, values, kernel, mode="same")
    return values
