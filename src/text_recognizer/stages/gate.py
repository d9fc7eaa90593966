"""The gate stage: judge the score by the gate's rules and write the verdict and its figures."""

from text_recognizer.core.layout import Layout
from text_recognizer.core.params import Params
from text_recognizer.core.schemas import Verdict
from text_recognizer.release.gate_verdict import figures, gate
from text_recognizer.utils.files import write_json


def run(params: Params, layout: Layout) -> Verdict:
    """Write the verdict to `layout.verdict` and its figures to `layout.metrics`, and return the verdict.

    A missing or damaged score is a rejection.
    """
    verdict = gate(layout.score, params.gate, layout.verdict)
    write_json(layout.metrics, figures(verdict))
    return verdict
