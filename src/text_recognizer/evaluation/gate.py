"""Whether a model may ship: its score against the limits of `params.yaml`. The verdict is data, and fails closed.

Nothing here looks at a champion, which is no dependency of the stage: `text_recognizer.registry` compares with it.
"""

import json
from pathlib import Path
from typing import Any

from text_recognizer.config import GateSection
from text_recognizer.evaluation import figures
from text_recognizer.evaluation.rules import Rule, entry, judged
from text_recognizer.files import write_json

BASIS = "the limits of params.yaml alone: the comparison with the champion comes when a model is promoted"


def judge(score: object, section: GateSection) -> dict[str, Any]:
    """The verdict on the figures of `summarise`, ready for JSON; never raises for what `score` holds.

    A figure that is missing, NaN, infinite, negative, of a wrong type or against another one rejects, with its reason.
    Each rule has `name`, `limit`, `value` (None where unusable), `passed` and `reason`.
    """
    if not isinstance(score, dict):
        return refuse(f"the score is a {type(score).__name__}, not a table of figures")
    return verdict_of(judged(score, section), score, BASIS)


def gate(score_path: Path, section: GateSection, verdict_path: Path) -> dict[str, Any]:
    """Judges the score file and writes the verdict; a missing or broken score is a rejection, written all the same."""
    try:
        verdict = judge(json.loads(score_path.read_text(encoding="utf-8")), section)
    except FileNotFoundError:
        verdict = refuse(f"{score_path} does not exist: run `text-recognizer evaluate` first")
    except (OSError, ValueError, RecursionError) as error:
        verdict = refuse(f"{score_path} cannot be read: {error}; run `text-recognizer evaluate` again")
    write_json(verdict_path, verdict)
    return verdict


def table(verdict: dict[str, Any]) -> str:
    """The verdict for a terminal: one line a rule, then what it was judged by."""
    rules = verdict["rules"]
    failed = sum(not rule["passed"] for rule in rules)
    outcome = f"rejected by {failed} of {len(rules)} rules"
    if verdict["passed"]:
        outcome = "passed" if not failed else f"passed by an override of {failed} of {len(rules)} rules"
    rows = [f"gate: {outcome}"]
    width = max(len(rule["name"]) for rule in rules)
    for rule in rules:
        rows.append(f"  {'ok    ' if rule['passed'] else 'FAILED'}  {rule['name']:<{width}}  {rule['reason']}")
    return "\n".join([*rows, f"  judged by {verdict['basis']}"])


def verdict_of(rules: list[Rule], score: dict[str, Any], basis: str) -> dict[str, Any]:
    """The verdict that these rules come to."""
    return {
        "passed": all(rule["passed"] for rule in rules),
        "rules": rules,
        "model": figures.usable(figures.model, score),
        "data": figures.usable(figures.data, score),
        "cer": figures.usable(figures.cer, score),
        "cer_interval": figures.usable(figures.bounds, score),
        "pages": figures.usable(figures.pages, score),
        "champion": None,
        "override": None,
        "basis": basis,
    }


def refuse(reason: str) -> dict[str, Any]:
    """The verdict on what is no score."""
    return verdict_of([entry("score", None, None, False, reason)], {}, BASIS)
