"""Figures of pages, of the features of a network, and of positions.

`T` tokens, `E` embedding, `H W` pixels, `h w` cells.
"""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from pictures.style import BLUE, COLD, HEAT, INK, bare, show_token, shown


@shown
def pages(inks: np.ndarray, texts: Sequence[str], columns: int = 4) -> Figure:
    """Show pages (B, H, W), ink 1 on paper 0, each with its text below."""
    rows = -(-len(inks) // columns)
    figure, axes = plt.subplots(rows, columns, figsize=(2.4 * columns, 1.65 * rows), squeeze=False)
    for index, panel in enumerate(axes.flat):
        panel.axis("off")
        if index < len(inks):
            bare(panel).axis("on")
            panel.imshow(1 - inks[index], cmap="gray", vmin=0, vmax=1, interpolation="bilinear")
            panel.set_xlabel(texts[index], family="monospace", fontsize=8.5, color=BLUE)
    return figure


@shown
def channels(ink: np.ndarray, stages: dict[str, np.ndarray], columns: int = 6) -> Figure:
    """Show a page (H, W), and below it the strongest channels of each stage, (E, h, w)."""
    rows = len(stages) + 1
    figure, axes = plt.subplots(rows, columns, figsize=(9.6, 0.98 * rows), layout="none")
    figure.subplots_adjust(left=0.005, right=0.995, bottom=0.01, top=0.95, wspace=0.05, hspace=0.45)
    for panel in axes[0, 1:]:
        panel.axis("off")
    bare(axes[0, 0]).imshow(1 - ink, cmap="gray", vmin=0, vmax=1)
    titles = [f"the page: {ink.shape[0]} x {ink.shape[1]}"]
    for row, (name, features) in enumerate(stages.items(), start=1):
        strongest = np.argsort(-features.std(axis=(1, 2)))[:columns]
        for panel, channel in zip(axes[row], strongest, strict=True):
            bare(panel).imshow(features[channel], cmap=HEAT, interpolation="nearest")
        titles.append(f"{name}: {len(features)} channels of {features.shape[1]} x {features.shape[2]}")
    for panel, title in zip(axes[:, 0], titles, strict=True):
        panel.set_title(title)
    return figure


@shown
def masks(allowed: np.ndarray, moved: np.ndarray) -> Figure:
    """Show the mask (T, T), and how far each output moved when one input was changed (T, T)."""
    figure, axes = plt.subplots(1, 2, figsize=(7.6, 3.1))
    axes[0].imshow(allowed, cmap=LinearSegmentedColormap.from_list("two", ["#e8ebf0", BLUE]), vmin=0, vmax=1)
    axes[0].set(
        title="The mask: attention is allowed in blue",
        ylabel="the token at this position",
        xlabel="attends to this position",
    )
    picture = axes[1].imshow(moved, cmap=HEAT, vmin=0)
    axes[1].set(title="Change one token: what moves?", ylabel="output at this position", xlabel="the changed token")
    figure.colorbar(picture, ax=axes[1], fraction=0.046, label="how far it moves")
    for panel in axes:
        panel.set(xticks=range(0, len(allowed), 5), yticks=range(0, len(allowed), 5))
    return figure


@shown
def positions(encoding: np.ndarray, embedded: np.ndarray, tokens: Sequence[str]) -> Figure:
    """Show positions alone (T, E), and the embeddings (T', E) of a text with and without them."""
    figure = plt.figure(figsize=(9.6, 4.9))
    grid = figure.add_gridspec(2, 2)
    count = len(embedded)
    panel = figure.add_subplot(grid[0, 0])
    panel.imshow(encoding.T, cmap=COLD, vmin=-1, vmax=1, aspect="auto")
    panel.set(title="Positions alone", xlabel="position in the sequence", ylabel="dimension")
    panel = figure.add_subplot(grid[0, 1])
    near = encoding @ encoding.T / (np.linalg.norm(encoding, axis=1) ** 2).mean()
    panel.imshow(near, cmap=COLD, vmin=-1, vmax=1, aspect="auto")
    panel.set(title="Similarity of two positions", xlabel="position", ylabel="position")
    labels = [show_token(token) for token in tokens]
    both = embedded + encoding[:count]
    for column, (matrix, title) in enumerate(((embedded, "A text's embeddings"), (both, "The same with positions"))):
        panel = figure.add_subplot(grid[1, column])
        panel.imshow(matrix.T, cmap=COLD, vmin=-2.5, vmax=2.5, aspect="auto")
        panel.set_xticks(range(count), labels, family="monospace")
        panel.set(title=title, ylabel="dimension")
    return figure


@shown
def cell_positions(similar: np.ndarray, cells: Sequence[tuple[int, int]]) -> Figure:
    """Show for some cells of a grid how similar every cell is to each of them, (cells, h, w)."""
    figure, axes = plt.subplots(1, len(cells), figsize=(9.6, 2.0))
    for panel, (row, column), similarity in zip(axes, cells, similar, strict=True):
        bare(panel).imshow(similarity, cmap=HEAT)
        panel.plot(column, row, "o", mfc="none", mec=INK, ms=8, mew=1.6)
        panel.set_title(f"row {row}, column {column}")
    return figure
