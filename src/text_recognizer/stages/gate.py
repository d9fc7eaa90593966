"""The gate stage: judge the score by the gate's rules and write the verdict."""

from text_recognizer.core.layout import Layout
from text_recognizer.core.params import Params
from text_recognizer.core.schemas import Verdict
from text_recognizer.release.gate_verdict import gate


def run(params: Params, layout: Layout) -> Verdict:
    """Write the verdict to `layout.verdict` and return it. A missing or damaged score is a rejection."""
    return gate(layout.score, params.gate, layout.verdict)
