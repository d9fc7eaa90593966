"""The figures of `transformers.ipynb`. Every function shows one figure, drawn from plain arrays."""

from pictures.inside import attention, lens, ranks, residual_diagram, spectra, stream
from pictures.network import cell_positions, channels, masks, pages, positions
from pictures.reader import blurred, found_lines, frames, reading_path
from pictures.style import BLUE, GREY, INK, RED, set_style
from pictures.training import curve, forced, rates

__all__ = [
    "BLUE", "GREY", "INK", "RED", "attention", "blurred", "cell_positions", "channels", "curve", "forced",
    "found_lines", "frames", "lens", "masks", "pages", "positions", "ranks", "rates", "reading_path",
    "residual_diagram", "set_style", "spectra", "stream",
]  # fmt: skip
