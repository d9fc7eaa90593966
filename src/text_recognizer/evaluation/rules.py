"""The gate's rules, each by its name: a figure of the score, its limit, and in words how the two compare."""

from collections.abc import Callable, Mapping
from typing import Any

from text_recognizer.config import GateSection
from text_recognizer.evaluation import figures
from text_recognizer.evaluation.figures import Score, UnusableError

Rule = dict[str, Any]
ANY = "default"  # among the limits by source: that of every source without one of its own


def judged(score: Score, section: GateSection) -> list[Rule]:
    """Every rule of the section, applied to a score."""
    return [
        _cer(score, {str(source): limit for source, limit in section.max_cer.items()}),
        at_most("wer", "the WER", section.max_wer, score, figures.wer),
        _pages(score, section.min_pages),
        at_most("interval", "the width of the CER interval", section.max_interval, score, figures.width),
        _better_than_floor(score),
        _names_model(score),
        _worst_slice(score, section),
        *(_slice(name, limit, score) for name, limit in section.slices.items()),
        at_most("calibration", "the words' calibration error", section.max_calibration_error, score, _words_error),
        *(_disturbed(name, limit, score) for name, limit in section.max_disturbed.items()),
        at_most("blank", "what is read on pages without text, characters", section.max_blank, score, _blank),
    ]


def at_most(name: str, words: str, limit: float, score: Score, figure: Callable[[Score], float]) -> Rule:
    """A rule that holds where a figure is not above its limit."""
    try:
        value = figure(score)
    except UnusableError as problem:
        return entry(name, limit, None, False, str(problem))
    side = "within" if value <= limit else "above"
    return entry(name, limit, value, value <= limit, f"{words}, {value:.4f}, is {side} the limit of {limit}")


def _cer(score: Score, limits: Mapping[str, float]) -> Rule:
    """The limit is that of the pages' source, or the general one where the source has none of its own."""
    if set(limits) == {ANY}:
        return at_most("cer", "the CER", limits[ANY], score, figures.cer)
    try:
        source = figures.source(score)
        limit = limits.get(source, limits.get(ANY))
        if limit is None:
            raise UnusableError(f"gate.max_cer has no limit for the source {source[:40]!r}, and no default")
    except UnusableError as problem:
        return entry("cer", None, figures.usable(figures.cer, score), False, str(problem))
    return at_most("cer", f"the CER on pages of the source {source[:40]!r}", limit, score, figures.cer)


def _worst_slice(score: Score, section: GateSection) -> Rule:
    """No part of the pages may be read far worse than the rest, as long as enough of them say so."""
    name, limit = "worst_slice", section.max_slice_cer
    try:
        rows = figures.rows(score, "slices")
        # By character only some characters of a page count: where one matters it has a limit of its own.
        whole = [row for row in rows if row.get("by") != "character"]
        judged_rows = [row for row in whole if figures.count(row, "pages") >= section.min_slice_pages]
        if not judged_rows:
            raise UnusableError(f"no slice has {section.min_slice_pages} pages")
        worst = max(judged_rows, key=figures.cer)
        value = figures.cer(worst)
    except UnusableError as problem:
        return entry(name, limit, None, False, str(problem))
    side = "within" if value <= limit else "above"
    where = f"{str(worst.get('name'))[:40]!r} ({worst['pages']} pages)"
    return entry(
        name, limit, value, value <= limit, f"the worst slice, {where}, has a CER of {value:.4f}, {side} {limit}"
    )


def _slice(name: str, limit: float, score: Score) -> Rule:
    def figure(score: Score) -> float:
        for row in figures.rows(score, "slices"):
            if row.get("name") == name:
                return figures.cer(row)
        raise UnusableError(f"the score has no slice {name!r}")

    return at_most(f"slice {name}", f"the CER of the slice {name!r}", limit, score, figure)


def _disturbed(name: str, limit: float, score: Score) -> Rule:
    def figure(score: Score) -> float:
        return figures.number(figures.part(figures.part(score, "robustness"), "cer"), name)

    return at_most(f"disturbed {name}", f"the CER of pages {name}", limit, score, figure)


def _words_error(score: Score) -> float:
    return figures.number(figures.part(score, "calibration"), "ece_words")


def _blank(score: Score) -> float:
    return figures.count(figures.part(score, "robustness"), "blank_characters")


def entry(name: str, limit: object, value: object, passed: bool, reason: str) -> Rule:
    return {"name": name, "limit": limit, "value": value, "passed": passed, "reason": reason}


def _pages(score: Score, limit: int) -> Rule:
    try:
        value = figures.pages(score)
    except UnusableError as problem:
        return entry("pages", limit, None, False, str(problem))
    side = "within" if value >= limit else "below"
    return entry(
        "pages", limit, value, value >= limit, f"the number of test pages, {value}, is {side} the limit of {limit}"
    )


def _better_than_floor(score: Score) -> Rule:
    """A reader must beat both answers that need no picture."""
    name, limit = "better_than_floor", None
    try:
        limit = min(figures.floor(score, "empty"), figures.floor(score, "constant"))
        value = figures.cer(score)
    except UnusableError as problem:
        return entry(name, limit, None, False, str(problem))
    side = "below" if value < limit else "not below"
    reason = f"the CER, {value:.4f}, is {side} {limit:.4f}, what an answer without a look at the page gets"
    return entry(name, limit, value, value < limit, reason)


def _names_model(score: Score) -> Rule:
    """A verdict that does not say which model it judged could be used for any."""
    try:
        model = figures.model(score)
    except UnusableError as problem:
        return entry("model", "a sha256", None, False, str(problem))
    return entry("model", "a sha256", model, True, f"the score is of model {model[:12]}")
