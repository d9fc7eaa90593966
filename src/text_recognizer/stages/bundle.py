"""The bundle stage: build the bento from a model that passed the gate."""

from dataclasses import dataclass

from text_recognizer.core.layout import Layout
from text_recognizer.core.params import Params
from text_recognizer.release.verdict_file import RejectedModelError
from text_recognizer.serving.bento import bundle


@dataclass(frozen=True)
class Bundled:
    """What the stage did: the tag of the bento, or why the gate rejected the model."""

    tag: str | None
    rejection: str = ""


def run(_: Params, layout: Layout) -> Bundled:
    """Write the bento to `layout.bento`, unless the gate rejected the model.

    A rejection is a result and no failure, so that DVC keeps the figures of a rejected experiment. It leaves the bento
    of the last accepted model; if there is none, an empty folder, because DVC requires the output. Raises
    NotReleasedError if there is no verdict on this model.
    """
    try:
        return Bundled(bundle(layout.model, layout.verdict, layout.bento))
    except RejectedModelError as rejection:
        layout.bento.mkdir(parents=True, exist_ok=True)
        return Bundled(None, rejection.what)
