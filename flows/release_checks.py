"""Check after the gate's stage whether the model may be released."""

from pathlib import Path

from flows.summary import rejection
from text_recognizer.core.errors import TextRecognizerError
from text_recognizer.release.promotion import challenge
from text_recognizer.stages.champion_scoring import rescorer


class RejectedError(TextRecognizerError):
    """The model may not be released: the gate rejected it, or it does not beat the model in service."""

    code = "rejected"


def require_releasable(project: Path) -> None:
    """Raise RejectedError if the gate's verdict or the model in service forbids a release."""
    _require_accepted(project)
    _require_better(project)


def _require_accepted(project: Path) -> None:
    if reasons := rejection(project):
        fix = "open reports/report.html; train longer or on more data, or change the limits under gate in params.yaml"
        raise RejectedError(f"the gate rejected the model, nothing was bundled:\n{reasons}", fix)


def _require_better(project: Path) -> None:
    found = challenge(project, rescorer(project))
    if found and (failed := [rule for rule in found.rules if not rule.passed]):
        reasons = "\n".join(f"  {rule.name}: {rule.reason}" for rule in failed)
        fix = "train longer or on more data; `text-recognizer models` lists the model in service"
        raise RejectedError(f"the model does not beat the one in service, nothing was bundled:\n{reasons}", fix)
