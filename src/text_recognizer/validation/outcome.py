"""The result of a validation: as records for files, and as a table for the terminal."""

from collections.abc import Sequence
from dataclasses import dataclass

from text_recognizer.core.schemas import CorrectionsFound, DriftReference, Expectation, ValidationSummary
from text_recognizer.validation.suites import REFUSED

NAME_WIDTH = 22


@dataclass(frozen=True)
class Outcome:
    """The summary of a validation, and the reference that later data are compared with if these are accepted."""

    summary: ValidationSummary
    reference: DriftReference

    @property
    def passed(self) -> bool:
        """Whether the data are valid. Refused corrections do not matter."""
        return self.summary.passed

    def table(self) -> str:
        """Return the counts and one line per expectation; below a failed one, what is wrong and what to do."""
        rows = [_counts(self.summary), *expectation_lines(self.summary.expectations)]
        rows.append(f"drift: {self.summary.drift}")
        rows += _corrections(self.summary.feedback)
        rows.append(self._verdict())
        return "\n".join(rows)

    def _verdict(self) -> str:
        if not self.passed:
            return "the data are not valid"
        refused = len(self.summary.feedback.refused)
        return f"the archive is valid, but {refused} corrections are refused" if refused else "all expectations hold"


def expectation_lines(expectations: Sequence[Expectation]) -> list[str]:
    """Return the lines of the table for some expectations."""
    rows = []
    for row in expectations:
        verdict = "passed" if row.passed else "refuse" if row.suite == REFUSED else "FAILED"
        failed = f"{row.failed} of {row.rows}"
        rows.append(f"{verdict}  {row.suite:<8} {row.name:<{NAME_WIDTH}} {failed:>13} fail")
        if not row.passed:
            rows += [f"        {row.wrong}", f"        fix: {row.fix}"]
        elif row.failed:
            rows.append(f"        {row.wrong} (so few are tolerated)")
    return rows


def _corrections(feedback: CorrectionsFound) -> list[str]:
    accepted, refused = len(feedback.accepted), len(feedback.refused)
    return [f"feedback: {accepted} corrections accepted, {refused} refused"] if accepted + refused else []


def _counts(summary: ValidationSummary) -> str:
    counts = summary.counts
    splits = ", ".join(f"{row.forms} {name}" for name, row in summary.splits.items())
    excluded = f"; {counts.excluded} excluded" if counts.excluded else ""
    return f"{counts.forms} forms ({splits}{excluded}), {counts.lines} lines, {counts.writers} writers"
