"""The drawings of `transformers.ipynb`: what would hide the lesson if it stood in the cells.

Every function shows one figure, drawn from plain arrays.
"""

from pictures.inside import attention, lens, ranks, residual_diagram, spectra, stream
from pictures.network import channels, masks, pages, places, positions
from pictures.reader import bands, blurred, frames, path_of_reading
from pictures.style import BLUE, GREY, INK, RED, set_style
from pictures.training import curve, forced, rates

__all__ = [
    "BLUE", "GREY", "INK", "RED", "attention", "bands", "blurred", "channels", "curve", "forced", "frames", "lens",
    "masks", "pages", "path_of_reading", "places", "positions", "ranks", "rates", "residual_diagram", "set_style",
    "spectra", "stream",
]  # fmt: skip
