"""Judge a score by the limits of `params.yaml` and write the verdict. Whatever cannot be judged is rejected.

The gate stage does not depend on the model in service. `promotion` compares with it.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from text_recognizer.core.params import GateSection
from text_recognizer.core.schemas import RuleResult, Verdict
from text_recognizer.release import score_figures
from text_recognizer.release.gate_rules import apply_rules
from text_recognizer.release.score_figures import RawScore
from text_recognizer.utils.files import write_json

BASIS = "the limits of params.yaml alone: the comparison with the model in service is made by `promote`"


def judge(score: object, section: GateSection) -> Verdict:
    """Return the verdict on a score as `json.loads` gives it. Never raises, whatever `score` is.

    A figure that is missing, NaN, infinite, negative, of a wrong type or inconsistent fails its rule, whose reason
    names the figure.
    """
    if not isinstance(score, dict):
        return reject(f"the score is a {type(score).__name__}, not a table of figures")
    return make_verdict(apply_rules(score, section), score, BASIS)


def gate(score_path: Path, section: GateSection, verdict_path: Path) -> Verdict:
    """Judge a score file, write the verdict and return it. A missing or damaged score is a rejection, also written."""
    try:
        verdict = judge(json.loads(score_path.read_text(encoding="utf-8")), section)
    except FileNotFoundError:
        verdict = reject(f"{score_path} does not exist: run `text-recognizer evaluate` first")
    except (OSError, ValueError, RecursionError) as error:
        verdict = reject(f"{score_path} cannot be read: {error}; run `text-recognizer evaluate` again")
    write_json(verdict_path, verdict.model_dump(mode="json"))
    return verdict


def figures(verdict: Verdict) -> dict[str, float | bool | str | None]:
    """Return what a verdict judged as a flat table of numbers, for lists of experiments: no digests, no sentences."""
    values = {rule.name: rule.value for rule in verdict.rules if isinstance(rule.value, int | float)}
    values.pop("better_than_floor", None)  # its value is the CER once more
    failed = ", ".join(rule.name for rule in verdict.failed)
    return {**values, "cer": verdict.cer, "passed": verdict.passed, "failed": failed}


def table(verdict: Verdict) -> str:
    """Return the verdict for a terminal: the outcome, one line a rule, and what the model was judged by."""
    width = max(len(rule.name) for rule in verdict.rules)
    rows = [f"  {'ok    ' if rule.passed else 'FAILED'}  {rule.name:<{width}}  {rule.reason}" for rule in verdict.rules]
    return "\n".join([f"gate: {_outcome(verdict)}", *rows, f"  judged by {verdict.basis}"])


def make_verdict(rules: Sequence[RuleResult], score: RawScore, basis: str) -> Verdict:
    """Return the verdict that follows from `rules`. A figure of the score that is unusable is left None."""
    return Verdict(
        passed=all(rule.passed for rule in rules),
        rules=tuple(rules),
        basis=basis,
        model=score_figures.usable(score_figures.model, score),
        data=score_figures.usable(score_figures.data, score),
        cer=score_figures.usable(score_figures.cer, score),
        cer_interval=score_figures.usable(score_figures.interval, score),
        pages=score_figures.usable(score_figures.pages, score),
    )


def reject(reason: str) -> Verdict:
    """Return the verdict on something that is not a score."""
    return make_verdict([RuleResult(name="score", passed=False, reason=reason)], {}, BASIS)


def _outcome(verdict: Verdict) -> str:
    failed, rules = len(verdict.failed), len(verdict.rules)
    if not verdict.passed:
        return f"rejected by {failed} of {rules} rules"
    return f"passed by an override of {failed} of {rules} rules" if failed else "passed"
