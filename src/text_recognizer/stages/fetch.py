"""The fetch stage: download the archive, or draw the synthetic forms."""

from text_recognizer.acquisition.sources import fetch
from text_recognizer.core.layout import Layout
from text_recognizer.core.params import Params


def run(params: Params, layout: Layout) -> None:
    """Write one zip in IAM's layout to `layout.archive`. Raises DataError."""
    fetch(params.data, params.synthetic, layout.archive, params.runtime.workers)
