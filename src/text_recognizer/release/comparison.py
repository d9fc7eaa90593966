"""Compare a new model (challenger) with the model in service (champion), writer by writer on the same pages.

Whatever cannot be compared fails the rule.
"""

import json

from text_recognizer.core.errors import DataError
from text_recognizer.core.metrics import Edits, paired_difference
from text_recognizer.core.params import PromoteSection
from text_recognizer.core.schemas import RuleResult
from text_recognizer.release import score_figures
from text_recognizer.release.gate_rules import unusable
from text_recognizer.release.score_figures import RawScore, UnusableFigureError

# The largest difference between the stated CER and the CER from the sums by writer: rounding, nothing else.
TOLERANCE = 1e-9


def compare(challenger: RawScore, champion: str | None, version: str, section: PromoteSection) -> list[RuleResult]:
    """Return the results of the rules that compare two scores. Never raises, whatever the scores contain.

    `champion` is the text of the champion's score file, None if it could not be read; `version` names it in reasons.
    """
    try:
        other = _parse(champion, version)
        same = _check_same_pages(challenger, other, version)
    except UnusableFigureError as problem:
        return [unusable("champion", "a score", problem)]
    if same.passed:
        return [same, _check_better(challenger, other, version, section)]
    reason = f"not compared: {same.reason}"
    return [same, RuleResult(name=section.rule, limit=_limit(section), passed=False, reason=reason)]


def _parse(text: str | None, version: str) -> RawScore:
    if text is None:
        raise UnusableFigureError(f"the score of the champion {version} cannot be read")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise UnusableFigureError(f"the score of the champion {version} is not JSON") from None
    if not isinstance(value, dict):
        kind = type(value).__name__
        raise UnusableFigureError(f"the score of the champion {version} is a {kind}, not a table of figures")
    return value


def _check_same_pages(challenger: RawScore, champion: RawScore, version: str) -> RuleResult:
    """Pass if both scores name the same digest of pages and labels."""
    name = "same_pages"
    try:
        limit = score_figures.data(champion)
    except UnusableFigureError as problem:
        raise UnusableFigureError(f"the score of the champion {version}: {problem}") from None
    try:
        value = score_figures.data(challenger)
    except UnusableFigureError as problem:
        return unusable(name, limit, problem)
    passed = value == limit
    reason = f"both models were scored on the test pages {value[:12]}"
    if not passed:
        reason = f"scored on the test pages {value[:12]}, but the champion {version} on {limit[:12]}"
    return RuleResult(name=name, limit=limit, value=value, passed=passed, reason=reason)


def _check_better(challenger: RawScore, champion: RawScore, version: str, section: PromoteSection) -> RuleResult:
    """Compare the upper bound of the difference in CER with the limit.

    The bound is from a paired bootstrap: each draw takes the same writers for both models.
    """
    name, limit = section.rule, _limit(section)
    try:
        pairs = _paired(_edits_by_writer(challenger), _edits_by_writer(champion), version)
        own, other = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        difference = paired_difference(own, other, section.resamples, section.level, section.seed)
    except (UnusableFigureError, DataError) as problem:
        return unusable(name, limit, problem)
    passed = difference.high < 0 if section.rule == "better" else difference.high <= limit
    wanted = "below 0" if section.rule == "better" else f"at most {limit:+.4f}"
    confidence = f"with {section.level:.0%} confidence"
    reason = (
        f"the CER minus the CER of {version} is {difference.value:+.4f}, {confidence} at most {difference.high:+.4f};"
        f" it must be {wanted} {confidence}"
    )
    return RuleResult(name=name, limit=limit, value=difference.high, passed=passed, reason=reason)


def _paired(own: dict[str, Edits], other: dict[str, Edits], version: str) -> list[tuple[Edits, Edits]]:
    """Return the edits of both models for every writer, in the order of the writers' names."""
    if own.keys() != other.keys() or any(own[key].length != other[key].length for key in own):
        raise UnusableFigureError(f"by_writer has other writers or lengths than that of the champion {version}")
    if len(own) < 2:
        raise UnusableFigureError(f"by_writer has {len(own)} writers; a comparison needs at least 2")
    return [(own[key], other[key]) for key in sorted(own)]


def _limit(section: PromoteSection) -> float:
    return 0.0 if section.rule == "better" else section.margin


def _edits_by_writer(score: RawScore) -> dict[str, Edits]:
    """Return each writer's edits. Their sums must give the CER that the score states."""
    rows: dict[str, Edits] = {}
    for row in score_figures.rows(score, "by_writer"):
        score_figures.count(row, "pages")
        rows[str(row.get("writer"))] = Edits(score_figures.count(row, "edits"), score_figures.count(row, "characters"))
    length = sum(row.length for row in rows.values())
    rate = sum(row.edits for row in rows.values()) / length if length else None
    if rate is None or abs(rate - score_figures.cer(score)) > TOLERANCE:
        raise UnusableFigureError("the sums in by_writer do not give the CER that the score states")
    return rows
