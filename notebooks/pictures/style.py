"""Colours and axes of the figures, and the decorator that shows a figure in the notebook."""

import functools
import io
from collections.abc import Callable
from typing import ParamSpec

import matplotlib.pyplot as plt
from IPython.display import Image, display
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from PIL import Image as Pixels

INK, PAPER, BLUE, RED, GOLD, GREEN, GREY = "#1d2433", "#ffffff", "#2f6db5", "#c8443a", "#e0a32e", "#3d8f5f", "#9aa3b2"
HEAT = LinearSegmentedColormap.from_list("heat", [PAPER, "#fbe3b0", GOLD, RED, "#5c1220"])
COLD = LinearSegmentedColormap.from_list("cold", [BLUE, "#cfe0f2", PAPER, "#f4d2ce", RED])
P = ParamSpec("P")
COLOURS = 256  # of a shown picture, so that the notebook stays small


def shown(draw: Callable[P, Figure]) -> Callable[P, None]:
    """Show the figure as a small picture below the cell, with the docstring's first line as alternative text."""

    @functools.wraps(draw)
    def show(*args: P.args, **kwargs: P.kwargs) -> None:
        figure = draw(*args, **kwargs)
        raw, small = io.BytesIO(), io.BytesIO()
        figure.savefig(raw)
        plt.close(figure)
        Pixels.open(raw).convert("RGB").quantize(COLOURS, Pixels.Quantize.MAXCOVERAGE, dither=Pixels.Dither.NONE).save(
            small, "PNG", optimize=True
        )
        display(Image(small.getvalue(), alt=(draw.__doc__ or "").splitlines()[0]))

    return show


def set_style() -> None:
    """Set small figures and plain axes."""
    plt.rcParams.update({
        "savefig.dpi": 104, "figure.facecolor": PAPER, "axes.facecolor": PAPER,
        "font.size": 9.5, "axes.titlesize": 10, "axes.titleweight": "bold", "axes.titlelocation": "left",
        "axes.edgecolor": GREY, "axes.labelcolor": INK, "text.color": INK, "xtick.color": INK, "ytick.color": INK,
        "axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False,
        "figure.constrained_layout.use": True,
    })  # fmt: skip


def bare(axes: Axes) -> Axes:
    """Remove ticks and thin the frame."""
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_visible(True)
        spine.set_color(GREY)
        spine.set_linewidth(0.6)
    return axes


def show_token(token: str) -> str:
    """Return a visible form of a token."""
    return {" ": "␣", "\n": "⏎", "<S>": "▷", "<E>": "◁", "<P>": "·"}.get(token, token)
