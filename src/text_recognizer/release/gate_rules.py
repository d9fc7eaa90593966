"""The rules of the gate: each compares one figure of the score with its limit. An unusable figure fails its rule."""

from collections.abc import Callable, Mapping

from text_recognizer.core.params import GateSection
from text_recognizer.core.schemas import RuleResult
from text_recognizer.release import score_figures
from text_recognizer.release.score_figures import RawScore, UnusableFigureError

NOT_JUDGED = ("character", "uncounted source")  # what slices are by that `worst_slice` leaves out
DEFAULT_SOURCE = "default"  # among the limits by source: the limit of every source that has none of its own
DIGEST = "a sha256 digest"


def apply_rules(score: RawScore, section: GateSection) -> list[RuleResult]:
    """Apply every rule of `section` to a score. Never raises, whatever the score contains."""
    return [
        _check_cer(score, {str(source): limit for source, limit in section.max_cer.items()}),
        check_limit("wer", "the WER", section.max_wer, score, score_figures.wer),
        check_limit(
            "pages", "the number of test pages", section.min_pages, score, score_figures.pages, is_minimum=True
        ),
        check_limit(
            "interval", "the width of the CER interval", section.max_interval, score, score_figures.interval_width
        ),
        _check_baseline(score),
        _check_model(score),
        _check_unchanged(score),
        _check_worst_slice(score, section),
        *(_check_slice(name, limit, score) for name, limit in section.slices.items()),
        check_limit(
            "calibration",
            "the expected calibration error of the words",
            section.max_calibration_error,
            score,
            score_figures.word_calibration_error,
        ),
        *(_check_perturbed(name, limit, score) for name, limit in section.max_perturbed.items()),
        check_limit(
            "blank",
            "the number of characters read on blank pages",
            section.max_blank,
            score,
            score_figures.blank_characters,
        ),
    ]


def check_limit(
    name: str,
    words: str,
    limit: float,
    score: RawScore,
    figure: Callable[[RawScore], float],
    *,
    is_minimum: bool = False,
) -> RuleResult:
    """Pass if a figure is not above `limit`, or not below it if it `is_minimum`; `words` name the figure."""
    try:
        value = figure(score)
    except UnusableFigureError as problem:
        return unusable(name, limit, problem)
    passed = value >= limit if is_minimum else value <= limit
    held, missed = ("at least", "below the minimum of") if is_minimum else ("within the limit of", "above the limit of")
    reason = f"{words}, {_shown(value)}, is {held if passed else missed} {limit}"
    return RuleResult(name=name, limit=limit, value=value, passed=passed, reason=reason)


def unusable(name: str, limit: float | str | None, problem: Exception) -> RuleResult:
    """Return the failed result of a rule whose figure is unusable."""
    return RuleResult(name=name, limit=limit, passed=False, reason=str(problem))


def _shown(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.4f}"


def _check_cer(score: RawScore, limits: Mapping[str, float]) -> RuleResult:
    """Compare with the limit for the source of the pages; with the default if that source has none of its own."""
    if set(limits) == {DEFAULT_SOURCE}:
        return check_limit("cer", "the CER", limits[DEFAULT_SOURCE], score, score_figures.cer)
    try:
        source = score_figures.source(score)
        limit = limits.get(source, limits.get(DEFAULT_SOURCE))
        if limit is None:
            raise UnusableFigureError(f"gate.max_cer has no limit for the source {source[:40]!r}, and no default")
    except UnusableFigureError as problem:
        value = score_figures.usable(score_figures.cer, score)
        return RuleResult(name="cer", value=value, passed=False, reason=str(problem))
    return check_limit("cer", f"the CER on pages of the source {source[:40]!r}", limit, score, score_figures.cer)


def _check_worst_slice(score: RawScore, section: GateSection) -> RuleResult:
    """Compare the highest CER of all slices that have enough pages."""
    name, limit = "worst_slice", section.max_slice_cer
    try:
        # A slice by character holds only some characters of its pages: it needs a limit of its own in gate.slices.
        # A source that does not count in the gate is only shown.
        rows = [row for row in score_figures.rows(score, "slices") if row.get("by") not in NOT_JUDGED]
        large = [row for row in rows if score_figures.count(row, "pages") >= section.min_slice_pages]
        if not large:
            raise UnusableFigureError(f"no slice has {section.min_slice_pages} pages")
        worst = max(large, key=score_figures.cer)
        value, pages = score_figures.cer(worst), score_figures.pages(worst)
    except UnusableFigureError as problem:
        return unusable(name, limit, problem)
    passed = value <= limit
    comparison = "within the limit of" if passed else "above the limit of"
    where = f"{str(worst.get('name'))[:40]!r} ({pages} pages)"
    reason = f"the CER of the worst slice, {where}, {value:.4f}, is {comparison} {limit}"
    return RuleResult(name=name, limit=limit, value=value, passed=passed, reason=reason)


def _check_slice(name: str, limit: float, score: RawScore) -> RuleResult:
    def slice_cer(score: RawScore) -> float:
        for row in score_figures.rows(score, "slices"):
            if row.get("name") == name:
                return score_figures.cer(row)
        raise UnusableFigureError(f"the score has no slice {name!r}")

    return check_limit(f"slice {name}", f"the CER of the slice {name!r}", limit, score, slice_cer)


def _check_perturbed(name: str, limit: float, score: RawScore) -> RuleResult:
    def perturbed_cer(score: RawScore) -> float:
        return score_figures.perturbed_cer(score, name)

    return check_limit(f"perturbed {name}", f"the CER of the pages {name!r}", limit, score, perturbed_cer)


def _check_baseline(score: RawScore) -> RuleResult:
    """Pass if the model beats both answers that need no picture."""
    name = "better_than_floor"
    try:
        limit = min(score_figures.baseline(score, "empty"), score_figures.baseline(score, "constant"))
    except UnusableFigureError as problem:
        return unusable(name, None, problem)
    try:
        value = score_figures.cer(score)
    except UnusableFigureError as problem:
        return unusable(name, limit, problem)
    passed = value < limit
    comparison = "below" if passed else "not below"
    reason = f"the CER, {value:.4f}, is {comparison} {limit:.4f}, the best CER of an answer that needs no picture"
    return RuleResult(name=name, limit=limit, value=value, passed=passed, reason=reason)


def _check_model(score: RawScore) -> RuleResult:
    """Pass if the score names its model. Otherwise the verdict could be used for any model."""
    return _check_digest("model", "the score names the model", score, score_figures.model)


def _check_unchanged(score: RawScore) -> RuleResult:
    """Pass if the score is as `evaluate` wrote it."""
    return _check_digest("unchanged", "the fields of the score give its digest", score, score_figures.own_digest)


def _check_digest(name: str, what: str, score: RawScore, measure: Callable[[RawScore], str]) -> RuleResult:
    """Pass if the score has a digest that can be used; `what` says what the digest is."""
    try:
        value = measure(score)
    except UnusableFigureError as problem:
        return unusable(name, DIGEST, problem)
    return RuleResult(name=name, limit=DIGEST, value=value, passed=True, reason=f"{what} {value[:12]}")
