"""Run the suites with Great Expectations, and turn its results into records of this project."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from text_recognizer.core.schemas import Expectation
from text_recognizer.validation import suites

if TYPE_CHECKING:
    import pandas as pd
    from great_expectations.core import ExpectationSuiteValidationResult, ExpectationValidationResult
    from great_expectations.data_context import EphemeralDataContext

    Results = dict[str, ExpectationSuiteValidationResult]
    Frames = dict[str, pd.DataFrame]

SHOWN_IDS = 5
# The column that holds the id of a row's form, by suite.
FORM_COLUMN = {"forms": "id", "lines": "form", "audit": "form", "crops": "id", "line_crops": "id"}


@dataclass(frozen=True)
class CheckedExpectation:
    """An expectation, and for each of its failing rows the id of the form; '' if the row belongs to no form."""

    record: Expectation
    forms: tuple[str, ...]


@dataclass(frozen=True)
class _FailingRow:
    id: str
    found: str
    form: str


def run_suites(frames: "Frames", rules: tuple[suites.Rule, ...]) -> "Results":
    """Validate each table that has rules. The result contains every failing row."""
    import great_expectations as gx

    context = _context()
    source = context.data_sources.add_pandas("archive")
    results: Results = {}
    for name in dict.fromkeys(rule.suite for rule in rules):
        batches = source.add_dataframe_asset(name).add_batch_definition_whole_dataframe("all")
        suite = context.suites.add(suites.build(name, rules))
        definition = gx.ValidationDefinition(name=name, data=batches, suite=suite)
        results[name] = context.validation_definitions.add(definition).run(
            batch_parameters={"dataframe": frames[name]},
            result_format={"result_format": "COMPLETE", "unexpected_index_column_names": suites.INDEX[name]},
        )
    return results


def _context() -> "EphemeralDataContext":
    """Make a context in memory, without progress bars, analytics, or a site in the folder for temporary files."""
    import great_expectations as gx
    from great_expectations.data_context.types import base

    config = base.DataContextConfig(
        store_backend_defaults=base.InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
        progress_bars=base.ProgressBarsConfig(globally=False, metric_calculations=False),
        analytics_enabled=False,
    )
    return gx.get_context(mode="ephemeral", project_config=config)


def checked_expectations(
    rules: tuple[suites.Rule, ...], results: "Results", frames: "Frames"
) -> list[CheckedExpectation]:
    """Return one record per expectation in the order of the rules."""
    items = [item for result in results.values() for item in result.results]
    by_name = {item.expectation_config.meta["name"]: item for item in items if item.expectation_config}
    return [_checked(rule, by_name[rule.name], len(frames[rule.suite])) for rule in rules]


def _checked(rule: suites.Rule, item: "ExpectationValidationResult", rows: int) -> CheckedExpectation:
    """Convert one result. Rows may fail an expectation that passed, because some tolerate a small share."""
    failing = _failing_rows(rule, item)
    passed = bool(item.success)
    wrong = rule.wrong if passed or failing else f"{rule.wrong}, or it could not be checked: {_exception(item)}"
    record = Expectation(
        suite=rule.suite,
        name=rule.name,
        column=rule.column,
        passed=passed,
        rows=rows,
        failed=len(failing),
        ids=tuple(row.id for row in failing),
        found=tuple(row.found for row in failing),
        fails_when=rule.wrong,
        wrong=None if passed and not failing else _describe(wrong, failing),
        fix=rule.fix,
    )
    return CheckedExpectation(record, tuple(row.form for row in failing))


def _failing_rows(rule: suites.Rule, item: "ExpectationValidationResult") -> list[_FailingRow]:
    key = suites.INDEX[rule.suite][0]
    found = "forms" if rule.suite == "writers" else rule.column
    form = FORM_COLUMN.get(rule.suite, "")
    entries = item.result.get("unexpected_index_list") or []
    rows = [_FailingRow(str(entry[key]), _format(entry.get(found)), str(entry.get(form, ""))) for entry in entries]
    return sorted(rows, key=lambda row: (row.id, row.found, row.form))


def _format(value: object) -> str:
    """Return a value as text; '' for a missing value."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _describe(wrong: str, failing: list[_FailingRow]) -> str:
    """Return what is wrong, followed by the first failing rows and the value found in each."""
    if not failing:
        return wrong
    named = [f"{row.id} ({row.found})" if row.found else row.id for row in failing]
    more = f" and {len(failing) - SHOWN_IDS} more" if len(failing) > SHOWN_IDS else ""
    return f"{wrong}: {', '.join(named[:SHOWN_IDS])}{more}"


def _exception(item: "ExpectationValidationResult") -> str:
    info = item.exception_info or {}
    nested = [info, *(value for value in info.values() if isinstance(value, dict))]
    messages = sorted({str(part["exception_message"]) for part in nested if part.get("exception_message")})
    return "; ".join(messages) or "no reason was given"
