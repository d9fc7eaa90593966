"""What a validation found: as data for a file, and as a short table for the terminal."""

from dataclasses import dataclass
from typing import Any

from text_recognizer.validation.suites import REFUSED

SHOWN_IDS = 5
WIDTH = 22


@dataclass(frozen=True)
class Outcome:
    """`summary` is plain data, the same for the same archive, parameters and reference on every machine.

    `reference` is what to keep of these data when they are accepted, for the next validation to compare with.
    """

    summary: dict[str, Any]
    reference: dict[str, Any]

    @property
    def passed(self) -> bool:
        return bool(self.summary["passed"])

    def table(self) -> str:
        """Counts, then one line per expectation; under a failed one what is wrong and what to do."""
        rows = [_counts(self.summary), *expectation_lines(self.summary["expectations"])]
        rows.append(f"drift: {self.summary['drift']}")
        rows += _corrections(self.summary["feedback"])
        rows.append("all expectations hold" if self.passed else "the data are not valid")
        return "\n".join(rows)


def expectation_lines(expectations: list[dict[str, Any]]) -> list[str]:
    rows = []
    for row in expectations:
        verdict = "passed" if row["passed"] else "refuse" if row["suite"] == REFUSED else "FAILED"
        failed = f"{row['failed']} of {row['rows']}"
        rows.append(f"{verdict}  {row['suite']:<8} {row['name']:<{WIDTH}} {failed:>13} fail")
        if not row["passed"]:
            rows += [f"        {row['wrong']}", f"        fix: {row['fix']}"]
        elif row["failed"]:
            rows.append(f"        {row['wrong']} (so few are tolerated)")
    return rows


def _corrections(feedback: dict[str, Any]) -> list[str]:
    accepted, refused = len(feedback["accepted"]), len(feedback["refused"])
    return [f"feedback: {accepted} corrections to learn from, {refused} refused"] if accepted + refused else []


def _counts(summary: dict[str, Any]) -> str:
    counts = summary["counts"]
    splits = ", ".join(f"{row['forms']} {name}" for name, row in summary["splits"].items())
    left_out = f"; {counts['excluded']} excluded" if counts["excluded"] else ""
    return f"{counts['forms']} forms ({splits}{left_out}), {counts['lines']} lines, {counts['writers']} writers"


def in_words(wrong: str, ids: list[str], found: list[str]) -> str:
    """`wrong`, then the first few rows by id with what was found in each."""
    if not ids:
        return wrong
    named = [f"{row_id} ({value})" if value else row_id for row_id, value in zip(ids, found, strict=True)]
    more = f" and {len(ids) - SHOWN_IDS} more" if len(ids) > SHOWN_IDS else ""
    return f"{wrong}: {', '.join(named[:SHOWN_IDS])}{more}"
