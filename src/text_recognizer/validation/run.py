"""The validation itself: tables, then Great Expectations, then the outcome and the Data Docs."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from text_recognizer import privacy
from text_recognizer.config import Params
from text_recognizer.files import sha256
from text_recognizer.validation import docs as data_docs
from text_recognizer.validation import suites, tables
from text_recognizer.validation.outcome import Outcome, in_words

if TYPE_CHECKING:
    from great_expectations.core import ExpectationValidationResult
    from great_expectations.data_context import EphemeralDataContext


def validate(archive: Path, params: Params, docs: Path) -> Outcome:
    """Checks every form of an archive in IAM's layout and writes the Data Docs to the folder `docs`.

    Bad forms are rows of the outcome. Raises DataError where there is nothing to look at: the archive is missing, no
    whole zip, not in IAM's layout, or without the lists of `params.data.split`.
    """
    privacy.silence()
    # Before Great Expectations is loaded, so that the processes that read pictures stay small.
    found = tables.build(archive, params)
    rules = suites.rules(params)
    results = check(found, rules)
    outcome = Outcome(summarise(archive, params, found, rules, results))
    data_docs.write(docs, outcome, rules, results)
    return outcome


def check(found: tables.Tables, rules: tuple[suites.Rule, ...]) -> data_docs.Results:
    """Validates each table against its suite, with every failing row in the result."""
    import great_expectations as gx

    context = _context()
    source = context.data_sources.add_pandas("archive")
    results: data_docs.Results = {}
    for name, index in suites.INDEX.items():
        batches = source.add_dataframe_asset(name).add_batch_definition_whole_dataframe("all")
        suite = context.suites.add(suites.build(name, rules))
        definition = gx.ValidationDefinition(name=name, data=batches, suite=suite)
        results[name] = context.validation_definitions.add(definition).run(
            batch_parameters={"dataframe": getattr(found, name)},
            result_format={"result_format": "COMPLETE", "unexpected_index_column_names": index},
        )
    return results


def _context() -> "EphemeralDataContext":
    """In memory, with no bars or analytics of its own, and no site in the system's folder for temporary files."""
    import great_expectations as gx
    from great_expectations.data_context.types import base

    config = base.DataContextConfig(
        store_backend_defaults=base.InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
        progress_bars=base.ProgressBarsConfig(globally=False, metric_calculations=False),
        analytics_enabled=False,
    )
    return gx.get_context(mode="ephemeral", project_config=config)


def summarise(
    archive: Path, params: Params, found: tables.Tables, rules: tuple[suites.Rule, ...], results: data_docs.Results
) -> dict[str, Any]:
    items = [item for result in results.values() for item in result.results]
    by_name = {item.expectation_config.meta["name"]: item for item in items if item.expectation_config}
    rows = [_row(rule, by_name[rule.name], len(getattr(found, rule.suite))) for rule in rules]
    failing = [row for row in rows if not row["passed"]]
    return {
        "passed": not failing,
        "sha256": sha256(archive),
        "split": params.data.split,
        "counts": {
            "forms": len(found.forms),
            "lines": len(found.lines),
            "writers": found.forms["writer"].nunique(),
            "excluded": len(found.excluded),
        },
        "splits": {row["split"]: _count(row) for row in found.splits.to_dict("records")},
        "expectations": [{key: value for key, value in row.items() if key != "forms"} for row in rows],
        "forms_at_fault": sorted({form for row in failing for form in row["forms"]}),
    }


def _count(row: dict[Any, Any]) -> dict[str, int]:
    return {key: int(row[key]) for key in ("forms", "lines", "writers")}


def _row(rule: suites.Rule, item: "ExpectationValidationResult", rows: int) -> dict[str, Any]:
    """One expectation as plain data; `forms` are the ids of the forms that its failing rows belong to."""
    entries = _entries(rule, item)
    ids = [entry[0] for entry in entries]
    found = [entry[1] for entry in entries]
    passed = bool(item.success)
    wrong = rule.wrong if passed or ids else f"{rule.wrong}, or it could not be checked: {_exception(item)}"
    return {
        "suite": rule.suite,
        "name": rule.name,
        "column": rule.column,
        "passed": passed,
        "rows": rows,
        "failed": len(ids),
        "ids": ids,
        "found": found,
        "fails_when": rule.wrong,
        "wrong": None if passed else in_words(wrong, ids, found),
        "fix": rule.fix,
        "forms": [entry[2] for entry in entries if entry[2]],
    }


def _entries(rule: suites.Rule, item: "ExpectationValidationResult") -> list[tuple[str, str, str]]:
    """Of each failing row: its id, what was found there, and its form ('' where it has none)."""
    key = suites.INDEX[rule.suite][0]
    found = "forms" if rule.suite == "writers" else rule.column
    form = {"forms": "id", "lines": "form"}.get(rule.suite, "")
    entries = item.result.get("unexpected_index_list") or []
    return sorted((str(entry[key]), _text(entry.get(found)), str(entry.get(form, ""))) for entry in entries)


def _text(value: object) -> str:
    """A value as people write it; nothing for a value that is missing."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _exception(item: "ExpectationValidationResult") -> str:
    info = item.exception_info or {}
    nested = [info, *(value for value in info.values() if isinstance(value, dict))]
    messages = sorted({str(part["exception_message"]) for part in nested if part.get("exception_message")})
    return "; ".join(messages) or "no reason was given"
