"""Figures of the inside of a decoder: its stream and its heads. `T` tokens, `E` embedding."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from pictures.style import BLUE, COLD, GOLD, GREEN, GREY, HEAT, INK, PAPER, RED, bare, show_token, shown


@shown
def residual_diagram(layers: int = 2) -> Figure:
    """Show the decoder as a stream from a token's embedding to the next token, which layers read and write."""
    figure, panel = plt.subplots(figsize=(9.6, 2.9))
    panel.set(xlim=(-1.1, 3 * 1.35 * layers + 1.55), ylim=(-0.75, 2.75))
    panel.axis("off")
    parts = [("look back", BLUE), ("look at the page", GOLD), ("think", GREEN)]
    end = 3 * 1.35 * layers + 0.15
    panel.annotate("", (end + 0.15, 0), (-0.15, 0), arrowprops={"arrowstyle": "-|>", "lw": 7, "color": INK})
    for number in range(3 * layers):
        name, colour = parts[number % 3]
        left = 0.15 + 1.35 * number
        box = FancyBboxPatch((left, 1.15), 0.95, 0.75, boxstyle="round,pad=0.04", fc=colour, ec="none", alpha=0.9)
        panel.add_patch(box)
        panel.text(
            left + 0.47, 1.53, name.replace(" at ", "\nat "), ha="center", va="center", color=PAPER, fontsize=8.5
        )
        for x, tail, head in ((left + 0.12, 0.12, 1.08), (left + 0.83, 1.08, 0.12)):
            arrow = FancyArrowPatch((x, tail), (x, head), arrowstyle="-|>", mutation_scale=11, color=colour, lw=1.8)
            panel.add_patch(arrow)
        panel.text(left + 0.06, 0.55, "read", ha="right", va="center", fontsize=7, color=colour, rotation=90)
        panel.text(left + 0.9, 0.55, "+", ha="left", va="center", fontsize=12, color=colour, weight="bold")
        if number % 3 == 0:
            panel.plot([left - 0.05, left + 3.75], [2.12, 2.12], color=GREY, lw=1)
            panel.text(left + 1.85, 2.2, f"layer {number // 3 + 1}", ha="center", va="bottom", color=GREY)
    panel.text(-0.22, 0, "token +\nposition", ha="right", va="center", fontsize=9)
    panel.text(end + 0.2, 0, "scores of the\nnext token", ha="left", va="center", fontsize=9)
    panel.text(end / 2, -0.32, "the stream: one vector for each token, as wide at the end as at the beginning",
               ha="center", va="top", color=INK, style="italic")  # fmt: skip
    return figure


@shown
def stream(names: Sequence[str], before: np.ndarray, added: np.ndarray, kept: np.ndarray) -> Figure:
    """Show for each sublayer the norms of what it read and wrote, and the cosine of the stream before and after."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.6, 2.7), width_ratios=(1.25, 1))
    position = np.arange(len(names))
    left.bar(position - 0.2, before, 0.38, color=INK, label="the stream that it reads")
    left.bar(position + 0.2, added, 0.38, color=[BLUE, GOLD, GREEN] * (len(names) // 3), label="what it adds")
    left.set_xticks(position, names, fontsize=8)
    left.set(ylabel="norm, mean of all tokens", title="What a sublayer reads and what it adds", ylim=(0, None))
    left.legend(fontsize=8, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.2))
    right.plot(position, kept, "o-", color=INK)
    right.axhline(0, color=GREY, lw=0.8, ls=":")
    right.set_xticks(position, names, fontsize=8)
    right.set(ylim=(-0.05, 1.05), title="How far the stream keeps its direction", ylabel="cosine, before and after")
    return figure


@shown
def lens(truth: Sequence[str], rows: dict[str, tuple[Sequence[str], np.ndarray]]) -> Figure:
    """Show what the output layer predicts after each layer: tokens (T,), and the true token's probability (T,)."""
    figure, panel = plt.subplots(figsize=(9.6, 0.42 * (len(rows) + 1) + 0.7))
    chance = np.stack([probability for _, probability in rows.values()])
    picture = panel.imshow(chance, cmap=HEAT, vmin=0, vmax=1, aspect="auto")
    for row, (tokens, _) in enumerate(rows.values()):
        for column, token in enumerate(tokens):
            right = token == truth[column]
            colour = (PAPER if chance[row, column] > 0.55 else INK) if right else GREY
            panel.text(column, row, show_token(token), ha="center", va="center", fontsize=9, color=colour,
                       weight="bold" if right else "normal", family="monospace")  # fmt: skip
    panel.set_yticks(range(len(rows)), list(rows))
    panel.set_xticks(range(len(truth)), [show_token(token) for token in truth], family="monospace")
    panel.set_xlabel("the true next token")
    figure.colorbar(picture, ax=panel, ticks=[0, 1], fraction=0.02, pad=0.01).set_label("p(true)", labelpad=-6)
    return figure


@shown
def ranks(low: np.ndarray, full: np.ndarray) -> Figure:
    """Show two square matrices with their singular values."""
    figure, axes = plt.subplots(1, 3, figsize=(9.6, 2.6), width_ratios=(1, 1, 1.3))
    for panel, matrix, name in ((axes[0], low, "rank 1: a row times a column"), (axes[1], full, "full rank: noise")):
        bare(panel).imshow(matrix, cmap=COLD, vmin=-3, vmax=3)
        panel.set_title(name)
    for matrix, colour, name in ((low, RED, "rank 1"), (full, INK, "noise")):
        values = np.linalg.svd(matrix, compute_uv=False)
        axes[2].plot(np.arange(1, len(values) + 1), values / values[0], color=colour, marker=".", ms=3, label=name)
    axes[2].set(title="Singular values, the largest as 1", xlabel="number")
    axes[2].legend()
    return figure


@shown
def spectra(panels: dict[str, dict[str, tuple[np.ndarray, str]]], limit: int) -> Figure:
    """Show some spectra per panel: singular values and a colour by name. A head has at most `limit` of them."""
    figure, axes = plt.subplots(1, len(panels), figsize=(9.6, 2.8), sharey=True)
    for panel, (title, curves) in zip(np.atleast_1d(axes), panels.items(), strict=True):
        for name, (values, colour) in curves.items():
            shown = values / values.max()
            panel.plot(np.arange(1, len(shown) + 1), np.maximum(shown, 1e-4), color=colour, label=name, lw=1.8)
        panel.axvline(limit, color=GREY, lw=0.8, ls=":")
        panel.set(title=title, xlabel="number of the singular value", yscale="log", ylim=(8e-4, 1.4))
        panel.text(limit + 1, 1.0, f"{limit}", color=GREY, va="top", fontsize=8)
        panel.legend(fontsize=8, loc="lower right")
    np.atleast_1d(axes)[0].set_ylabel("share of the largest")
    return figure


@shown
def attention(weights: np.ndarray, tokens: Sequence[str], titles: Sequence[str]) -> Figure:
    """Show the attention of some heads, (heads, T, T): the row of each token sums to 1 over what it attends to."""
    figure, axes = plt.subplots(1, len(weights), figsize=(9.6, 3.75))
    labels = [show_token(token) for token in tokens]
    for panel, matrix, title in zip(axes, weights, titles, strict=True):
        panel.imshow(matrix, cmap=HEAT, vmin=0, vmax=1)
        panel.set_xticks(range(len(labels)), labels, fontsize=6.3, family="monospace")
        panel.set_yticks(range(len(labels)), labels, fontsize=6.3, family="monospace")
        panel.tick_params(length=0, pad=1)
        panel.set_title(title)
    axes[0].set_ylabel("this token ...")
    axes[0].set_xlabel("... looks at this one")
    return figure
