"""Figures of a trained reader on a page. `H W` pixels, `h w` cells."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from pictures.style import BLUE, GOLD, GREEN, GREY, RED, bare, shown

GLOW = LinearSegmentedColormap.from_list("glow", [(0.88, 0.35, 0.1, 0.0), (0.88, 0.35, 0.1, 0.75)])
SIZE, LETTER = 8, 0.602  # of the monospaced text above a frame, in points; a letter's width, as a share of it
Outline = Sequence[tuple[int, int]]  # the corners of a line, x and y in pixels
SHOWN = 34  # characters of the text so far


@shown
def found_lines(page: np.ndarray, outlines: Sequence[Outline], stack: np.ndarray, weights: np.ndarray) -> Figure:
    """Show a page (H, W) with the outlines of its lines, their strips, one below the other, and their pooling weights.

    `weights` (h,) are those of the rows of the grid of one strip.
    """
    figure, axes = plt.subplots(1, 3, figsize=(9.6, 2.9), width_ratios=(2, 2, 0.6))
    for panel, picture in zip(axes, (page, stack), strict=False):
        bare(panel).imshow(picture, cmap="gray", vmin=0, vmax=255, aspect="auto")
    for outline in outlines:
        axes[0].fill(*zip(*outline, strict=True), fill=False, color=BLUE, lw=0.9)
    count = len(outlines)
    rows = (np.arange(count * len(weights)) + 0.5) * len(stack) / (count * len(weights))
    axes[2].fill_betweenx(rows, np.tile(weights, count), color=BLUE, alpha=0.35)
    axes[2].set(title="Line pooling", yticks=[], xlabel="weight of a row")
    axes[2].set(xlim=(0, 1.1 * weights.max()), ylim=(len(stack), 0))
    axes[0].set_title("The page and its lines")
    axes[1].set_title("Their strips")
    return figure


@shown
def frames(canvas: np.ndarray, moments: Sequence[tuple[str, str, np.ndarray]], columns: int = 3) -> Figure:
    """Show moments of reading: the text so far, the character that is read, and the pixels used for it (H, W)."""
    rows = -(-len(moments) // columns)
    ratio = canvas.shape[0] / canvas.shape[1]
    figure, axes = plt.subplots(rows, columns, figsize=(9.6, rows * (3.1 * ratio + 0.32)), squeeze=False)
    for panel, (before, character, where) in zip(axes.flat, moments, strict=False):
        bare(panel).imshow(canvas, cmap="gray", vmin=0, vmax=255, interpolation="bilinear")
        panel.imshow(where / where.max(), cmap=GLOW, vmin=0, vmax=0.9, interpolation="bilinear")
        start, style = before[-SHOWN:], {"family": "monospace", "fontsize": SIZE, "textcoords": "offset points"}
        panel.annotate(start, (0, 1), (0, 4), xycoords="axes fraction", color=GREY, **style)
        offset = LETTER * SIZE * len(start)
        panel.annotate(character, (0, 1), (offset, 4), xycoords="axes fraction", color=RED, weight="bold", **style)
    for panel in axes.flat[len(moments) :]:
        panel.axis("off")
    return figure


@shown
def reading_path(canvas: np.ndarray, spots: np.ndarray, characters: Sequence[str]) -> Figure:
    """Show where each character was read, (N, 2) in pixels (x, y), in reading order from blue to red."""
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
    panel.set(title="Each character above the place where it was read", ylim=(canvas.shape[0], -0.04 * canvas.shape[0]))
    return figure


def blurred(values: np.ndarray, radius: int = 3) -> np.ndarray:
    """Blur single pixels (H, W) into visible spots."""
    kernel = np.exp(-0.5 * (np.arange(-2 * radius, 2 * radius + 1) / radius) ** 2)
    for axis in (0, 1):
        values = np.apply_along_axis(np.convolve, axis, values, kernel, mode="same")
    return values
