"""Apply the rules of the suites to a single row, without Great Expectations.

The service has neither Great Expectations nor pandas, and must tell a sender at once what the validation would say.
"""

from collections.abc import Iterable

from text_recognizer.validation.suites import Rule


def broken_rules(row: object, rules: Iterable[Rule]) -> list[Rule]:
    """Return the rules that a row fails. Rules that compare rows with each other are left out.

    A missing value fails no bounds, as in Great Expectations. `mostly` does not count: a single row has no tolerance.
    """
    return [rule for rule in rules if _is_broken(getattr(row, rule.column), rule)]


def describe_fault(row: object, rule: Rule, number: int | None = None) -> str:
    """Return what is wrong by a rule that a row fails, with what was found, or the number of the line."""
    value = getattr(row, rule.column)
    found = f": {value}" if isinstance(value, str) else f" (line {number})" if number else ""
    return rule.wrong + found


def _is_broken(value: object, rule: Rule) -> bool:
    match rule.kind:
        case "ExpectColumnValuesToBeNull":
            return value is not None
        case "ExpectColumnValuesToBeBetween":
            return isinstance(value, int | float) and not _is_between(value, rule.options)
        case "ExpectColumnValuesToBeInSet":
            members = rule.options["value_set"]
            assert isinstance(members, list)
            return value is not None and value not in members
    return False


def _is_between(value: float, bounds: dict[str, object]) -> bool:
    low, high = bounds.get("min_value"), bounds.get("max_value")
    above = not isinstance(low, int | float) or (value > low if bounds.get("strict_min") else value >= low)
    return above and (not isinstance(high, int | float) or value <= high)
