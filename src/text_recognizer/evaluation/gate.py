"""Whether a model may ship: its score against the limits of `params.yaml`. The verdict is data, and fails closed."""

import json
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from text_recognizer.config import GateSection
from text_recognizer.files import write_json

DIGEST = re.compile("[0-9a-f]{64}")
# A whole number above this is no count of anything here, and may not even fit a float.
LARGEST = 2**53
BASIS = "the limits of params.yaml alone: there is no champion to compare with"


class _UnusableError(Exception):
    """A figure that is missing or cannot be what it claims; the message is the reason. Never leaves this module."""


def judge(score: object, section: GateSection) -> dict[str, Any]:
    """The verdict on the figures of `summarise`, ready for JSON; never raises for what `score` holds.

    A figure that is missing, NaN, infinite, negative, of a wrong type or against another one rejects, with its reason.
    Each rule has `name`, `limit`, `value` (None where unusable), `passed` and `reason`.
    """
    if not isinstance(score, dict):
        return _refuse(f"the score is a {type(score).__name__}, not a table of figures")
    rules = [
        _rule("cer", section.max_cer, score, _cer),
        _rule("wer", section.max_wer, score, _wer),
        _rule("pages", section.min_pages, score, _pages),
        _rule("interval", section.max_interval, score, _width),
        _better_than_floor(score),
        _names_model(score),
    ]
    return _verdict(rules, score)


def gate(score_path: Path, section: GateSection, verdict_path: Path) -> dict[str, Any]:
    """Judges the score file and writes the verdict; a missing or broken score is a rejection, written all the same."""
    try:
        verdict = judge(json.loads(score_path.read_text(encoding="utf-8")), section)
    except FileNotFoundError:
        verdict = _refuse(f"{score_path} does not exist: run `text-recognizer evaluate` first")
    except (OSError, ValueError, RecursionError) as error:
        verdict = _refuse(f"{score_path} cannot be read: {error}; run `text-recognizer evaluate` again")
    write_json(verdict_path, verdict)
    return verdict


def table(verdict: dict[str, Any]) -> str:
    """The verdict for a terminal: one line a rule, then what it was judged by."""
    rules = verdict["rules"]
    failed = sum(not rule["passed"] for rule in rules)
    outcome = "passed" if verdict["passed"] else f"rejected by {failed} of {len(rules)} rules"
    rows = [f"gate: {outcome}"]
    width = max(len(rule["name"]) for rule in rules)
    for rule in rules:
        rows.append(f"  {'ok    ' if rule['passed'] else 'FAILED'}  {rule['name']:<{width}}  {rule['reason']}")
    return "\n".join([*rows, f"  judged by {verdict['basis']}"])


def _verdict(rules: list[dict[str, Any]], score: dict[str, Any]) -> dict[str, Any]:
    return {
        "passed": all(rule["passed"] for rule in rules),
        "rules": rules,
        "model": _usable(_model, score),
        "data": _usable(_data, score),
        "cer": _usable(_cer, score),
        "cer_interval": _usable(_bounds, score),
        "pages": _usable(_pages, score),
        "champion": None,
        "basis": BASIS,
    }


def _refuse(reason: str) -> dict[str, Any]:
    return _verdict([{"name": "score", "limit": None, "value": None, "passed": False, "reason": reason}], {})


def _usable(figure: Callable[[dict[str, Any]], object], score: dict[str, Any]) -> object:
    try:
        return figure(score)
    except _UnusableError:
        return None


# What each rule says of its figure: the words, the unit's format, and whether the limit is a smallest value.
WORDS = {
    "cer": ("the CER", "{:.4f}", False),
    "wer": ("the WER", "{:.4f}", False),
    "pages": ("the number of test pages", "{}", True),
    "interval": ("the width of the CER interval", "{:.4f}", False),
}


def _rule(name: str, limit: float, score: dict[str, Any], figure: Callable[[dict[str, Any]], float]) -> dict[str, Any]:
    words, form, smallest = WORDS[name]
    try:
        value = figure(score)
    except _UnusableError as problem:
        return _entry(name, limit, None, False, str(problem))
    passed = value >= limit if smallest else value <= limit
    side = ("below" if smallest else "above") if not passed else "within"
    return _entry(name, limit, value, passed, f"{words}, {form.format(value)}, is {side} the limit of {limit}")


def _better_than_floor(score: dict[str, Any]) -> dict[str, Any]:
    """A reader must beat both answers that need no picture."""
    try:
        limit = min(_floor(score, "empty"), _floor(score, "constant"))
    except _UnusableError as problem:
        return _entry("better_than_floor", None, None, False, str(problem))
    try:
        value = _cer(score)
    except _UnusableError as problem:
        return _entry("better_than_floor", limit, None, False, str(problem))
    passed = value < limit
    side = "below" if passed else "not below"
    reason = f"the CER, {value:.4f}, is {side} {limit:.4f}, what an answer without a look at the page gets"
    return _entry("better_than_floor", limit, value, passed, reason)


def _names_model(score: dict[str, Any]) -> dict[str, Any]:
    """A verdict that does not say which model it judged could be used for any."""
    limit = "a sha256"
    try:
        model = _model(score)
    except _UnusableError as problem:
        return _entry("model", limit, None, False, str(problem))
    return _entry("model", limit, model, True, f"the score is of model {model[:12]}")


def _entry(name: str, limit: object, value: object, passed: bool, reason: str) -> dict[str, Any]:
    return {"name": name, "limit": limit, "value": value, "passed": passed, "reason": reason}


def _cer(score: dict[str, Any]) -> float:
    return _number(score, "cer")


def _wer(score: dict[str, Any]) -> float:
    return _number(score, "wer")


def _pages(score: dict[str, Any]) -> int:
    return _count(score, "pages")


def _width(score: dict[str, Any]) -> float:
    """The interval's width. Over a single writer it would be 0 whatever the model does."""
    low, high = _bounds(score)
    if (writers := _count(score, "writers")) < 2:
        raise _UnusableError(f"the interval is drawn over {writers} writer, and one takes at least 2")
    return high - low


def _bounds(score: dict[str, Any]) -> list[float]:
    bounds = score.get("cer_interval")
    if not isinstance(bounds, list) or len(bounds) != 2:
        raise _UnusableError(f"cer_interval is {_show(bounds)}, not two numbers")
    low, high = (_number({"cer_interval": bound}, "cer_interval") for bound in bounds)
    cer = _cer(score)
    if not low <= cer <= high:
        raise _UnusableError(f"the interval {low:.4f} to {high:.4f} does not hold the CER, {cer:.4f}")
    return [low, high]


def _floor(score: dict[str, Any], name: str) -> float:
    floors = score.get("floors")
    if not isinstance(floors, dict):
        raise _UnusableError(f"floors is {_show(floors)}, not a table of figures")
    return _number(floors, name)


def _model(score: dict[str, Any]) -> str:
    return _digest(score, "model")


def _data(score: dict[str, Any]) -> str:
    return _digest(score, "data")


def _digest(score: dict[str, Any], name: str) -> str:
    value = score.get(name)
    if not isinstance(value, str) or not DIGEST.fullmatch(value):
        raise _UnusableError(f"{name} is {_show(value)}, not a sha256 digest")
    return value


def _count(score: dict[str, Any], name: str) -> int:
    value = _number(score, name)
    if not isinstance(value, int):
        raise _UnusableError(f"{name} is {_show(value)}, not a whole number")
    return value


def _number(score: dict[str, Any], name: str) -> float:
    """A number that is there, is one, is finite and is not negative."""
    if name not in score:
        raise _UnusableError(f"the score has no {name}")
    value = score[name]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _UnusableError(f"{name} is {_show(value)}, not a number")
    if (isinstance(value, int) and abs(value) > LARGEST) or not math.isfinite(value):
        raise _UnusableError(f"{name} is not a finite number")
    if value < 0:
        raise _UnusableError(f"{name} is {value}, below 0")
    return value


def _show(value: object) -> str:
    """A value for a reason: short, whatever it is. Only what is sure to have a short form is quoted."""
    if value is None:
        return "missing"
    if isinstance(value, str | bool | float):
        return repr(value[:40] if isinstance(value, str) else value)
    return f"a {type(value).__name__}"
