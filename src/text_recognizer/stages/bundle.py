"""The bundle stage: build the bento from a model that passed the gate."""

from text_recognizer.core.layout import Layout
from text_recognizer.core.params import Params
from text_recognizer.serving.bento import bundle


def run(_: Params, layout: Layout) -> str:
    """Write the bento to `layout.bento` and return its tag. Raises TextRecognizerError for a rejected model."""
    return bundle(layout.model, layout.verdict, layout.bento)
