"""Whether a challenger may take the champion's place: both scores on the same pages, writer by writer. Fails closed."""

import json
from typing import Any

from text_recognizer.config import PromoteSection
from text_recognizer.errors import DataError
from text_recognizer.evaluation import figures
from text_recognizer.evaluation.figures import Score, UnusableError
from text_recognizer.evaluation.rules import Rule, entry
from text_recognizer.metrics import Edits, paired_difference

FIRST = "the limits of params.yaml alone: this is the first model, there is no champion to compare with"
SUMS = ("pages", "edits", "characters")


def compare(challenger: Score, champion: str | None, name: str, section: PromoteSection) -> list[Rule]:
    """The rules of a comparison; `champion` is the text of its score file, None where it could not be read.

    `name` is what the champion is called in the reasons. Never raises for what the scores hold.
    """
    try:
        against = _parsed(champion, name)
        same = _same_pages(challenger, against, name)
    except UnusableError as problem:
        return [entry("champion", "a score", None, False, str(problem))]
    return [same, _better(challenger, against, name, section) if same["passed"] else _unjudged(section, same)]


def _parsed(text: str | None, name: str) -> Score:
    if text is None:
        raise UnusableError(f"the score of the champion {name} cannot be read")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise UnusableError(f"the score of the champion {name} is no JSON") from None
    if not isinstance(value, dict):
        raise UnusableError(f"the score of the champion {name} is a {type(value).__name__}, not a table of figures")
    return value


def _same_pages(challenger: Score, champion: Score, name: str) -> Rule:
    """Two models can be compared only on the same pages with the same labels: the digest of both splits."""
    try:
        theirs = figures.data(champion)
    except UnusableError as problem:
        raise UnusableError(f"the score of the champion {name}: {problem}") from None
    try:
        own = figures.data(challenger)
    except UnusableError as problem:
        return entry("same_pages", theirs, None, False, str(problem))
    passed = own == theirs
    reason = f"both were scored on the test pages {own[:12]}"
    if not passed:
        reason = f"scored on other test pages ({own[:12]}) than the champion {name} ({theirs[:12]})"
    return entry("same_pages", theirs, own, passed, reason)


def _unjudged(section: PromoteSection, same: Rule) -> Rule:
    return entry(section.rule, _limit(section), None, False, f"not compared: {same['reason']}")


def _better(challenger: Score, champion: Score, name: str, section: PromoteSection) -> Rule:
    """The bootstrap over writers of the difference in CER, each draw the same writers of both."""
    limit = _limit(section)
    try:
        own, theirs = _writers(challenger), _writers(champion)
        if own.keys() != theirs.keys() or any(own[key].length != theirs[key].length for key in own):
            raise UnusableError(f"its writers are not those of the champion {name}, though the pages are said to be")
        if len(own) < 2:
            raise UnusableError(f"{len(own)} writer is too few to compare over: it takes at least 2")
        order = sorted(own)
        gap = paired_difference(
            [own[key] for key in order],
            [theirs[key] for key in order],
            section.resamples,
            section.level,
            section.seed,
        )
    except (UnusableError, DataError) as problem:
        return entry(section.rule, limit, None, False, str(problem))
    passed = gap.high < 0 if section.rule == "better" else gap.high <= section.margin
    sure = f"with {section.level:.0%} confidence at most {gap.high:+.4f}"
    wanted = "below 0" if section.rule == "better" else f"at most {section.margin:+.4f}"
    reason = f"the CER less that of {name} is {gap.value:+.4f}, {sure}, {'as' if passed else 'not'} {wanted}"
    return entry(section.rule, limit, gap.high, passed, reason)


def _limit(section: PromoteSection) -> float:
    return 0.0 if section.rule == "better" else section.margin


def _writers(score: Score) -> dict[str, Edits]:
    """Each writer's edits. They must add up to the CER that the score states."""
    rows: dict[str, Any] = {}
    for row in figures.rows(score, "by_writer"):
        sums = [figures.count(row, key) for key in SUMS]
        rows[str(row.get("writer"))] = Edits(sums[1], sums[2])
    length = sum(row.length for row in rows.values())
    rate = sum(row.edits for row in rows.values()) / length if length else None
    if rate is None or abs(rate - figures.cer(score)) > 1e-9:
        raise UnusableError("the sums by writer do not come to the CER that the score states")
    return rows
