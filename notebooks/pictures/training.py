"""Figures of a training."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from pictures.style import BLUE, GREY, INK, RED, show_token, shown


@shown
def curve(losses: Sequence[float], errors: dict[int, tuple[float, float]]) -> Figure:
    """Show the loss of each step, and the measured CER with teacher forcing and reading freely."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.6, 2.6))
    left.plot(np.arange(1, len(losses) + 1), losses, color=BLUE)
    left.set(yscale="log", xlabel="step", title="The loss")
    for column, (name, colour) in enumerate((("with teacher forcing", GREY), ("reading freely", RED))):
        right.plot(list(errors), [pair[column] for pair in errors.values()], "o-", color=colour, ms=4, label=name)
    right.set(xlabel="step", ylim=(-0.04, 1.3), title="Wrong characters (CER)")
    right.legend()
    return figure


@shown
def forced(truth: Sequence[str], predictions: dict[str, Sequence[str]]) -> Figure:
    """Show predictions of one text, token by token; wrong tokens are red."""
    width = max(len(truth), *(len(tokens) for tokens in predictions.values()))
    figure, panel = plt.subplots(figsize=(9.6, 0.34 * (len(predictions) + 1)))
    panel.set(xlim=(-9, max(width, 40)), ylim=(len(predictions) + 0.5, -0.5))
    panel.axis("off")
    for row, (name, tokens) in enumerate([("true", truth), *predictions.items()]):
        panel.text(-1, row, name, ha="right", va="center", color=GREY)
        for column, token in enumerate(tokens):
            wrong = column >= len(truth) or token != truth[column]
            if wrong:
                panel.add_patch(Rectangle((column - 0.5, row - 0.42), 1, 0.84, fc="#f7d9d5", ec="none"))
            panel.text(column, row, show_token(token), ha="center", va="center", family="monospace",
                       color=RED if wrong else INK)  # fmt: skip
    return figure


@shown
def rates(tried: Sequence[float], losses: Sequence[float], chosen: float) -> Figure:
    """Show the loss at each learning rate that was tried."""
    figure, panel = plt.subplots(figsize=(7.2, 2.4))
    panel.plot(tried, losses, color=BLUE)
    panel.axvline(chosen, color=RED, ls="--", lw=1.2)
    top = 1.5 * losses[0]
    panel.text(chosen, top, f" {chosen:.0e}", color=RED, va="top")
    panel.set(xscale="log", xlabel="learning rate", ylabel="loss", ylim=(0, top))
    panel.set_title("One step at each rate, from small to large")
    return figure
