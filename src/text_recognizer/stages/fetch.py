"""The fetch stage: download the archives of the sources, or draw the synthetic forms."""

from text_recognizer.acquisition.sources import fetch_all
from text_recognizer.core.layout import Layout
from text_recognizer.core.params import Params


def run(params: Params, layout: Layout) -> None:
    """Write one zip for each of `data.sources` to `layout.raw`. Raises DataError."""
    fetch_all(params.data, params.synthetic, layout.raw, params.runtime.workers)
