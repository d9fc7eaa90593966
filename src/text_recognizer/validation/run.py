"""The validation itself: tables, then Great Expectations, then the outcome and the Data Docs."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from text_recognizer import privacy
from text_recognizer.config import Params, PreprocessSection
from text_recognizer.data.iam import IamArchive
from text_recognizer.errors import DataError
from text_recognizer.files import sha256
from text_recognizer.validation import crops, drift, line_crops, suites, tables, thumbnails
from text_recognizer.validation import docs as data_docs
from text_recognizer.validation.outcome import Outcome, in_words

if TYPE_CHECKING:
    import pandas as pd
    from great_expectations.core import ExpectationValidationResult
    from great_expectations.data_context import EphemeralDataContext


def validate(
    archive: Path, params: Params, docs: Path, feedback: Path | None = None, accepted: Path | None = None
) -> Outcome:
    """Checks every form of an archive in IAM's layout and writes the Data Docs to the folder `docs`.

    `feedback` is a folder of corrections, `accepted` the file that an earlier outcome's `reference` was written to;
    either may be missing. Bad forms are rows of the outcome. Raises DataError where there is nothing to look at: the
    archive is missing, no whole zip, not in IAM's layout, or without the lists of `params.data.split`.
    """
    privacy.silence()
    # Before Great Expectations is loaded, so that the processes that read pictures stay small.
    with IamArchive(archive):  # which says what is wrong with one that is missing
        digest = sha256(archive)
    found = tables.build(archive, params, feedback, drift.open_reference(accepted, params.data, digest))
    rules = tuple(rule for rule in suites.rules(params) if rule.suite != suites.REFUSED or len(found.feedback))
    results = check({rule.suite: getattr(found, rule.suite) for rule in rules}, rules)
    rows = _rows(found, rules, results)
    outcome = Outcome(_summary(digest, params, found, rows), drift.as_reference(found.labels, params.data, digest))
    pictures = thumbnails.draw(rows, thumbnails.Sources(archive, feedback))
    data_docs.write(docs, outcome, rules, results, pictures)
    return outcome


def check_crops(folder: Path, section: PreprocessSection, docs: Path) -> None:
    """Checks a folder of packed splits and writes its own Data Docs. Raises DataError where an expectation fails."""
    privacy.silence()
    frames, rules = {crops.SUITE: crops.build(folder, section)}, crops.rules(section)
    if section.lines:
        frames[line_crops.SUITE] = line_crops.build(folder)
        rules += line_crops.rules(section)
    results = check(frames, rules)
    rows = expectation_rows(rules, results, {name: len(frame) for name, frame in frames.items()})
    failing = [row for row in rows if not row["passed"]]
    counts = frames[crops.SUITE].groupby("split", sort=False).size()
    summary = {
        "passed": not failing,
        "splits": {str(split): {"pages": int(count)} for split, count in counts.items()},
        "expectations": rows,
    }
    data_docs.write(docs, Outcome(summary, {}), rules, results, thumbnails.crops(rows, folder))
    if failing:
        named = "\n    ".join(str(row["wrong"]) for row in failing)
        raise DataError(f"the crops are not what they should be:\n    {named}", f"open {docs}/index.html")


def check(frames: "dict[str, pd.DataFrame]", rules: tuple[suites.Rule, ...]) -> data_docs.Results:
    """Validates each table that has rules against its suite, with every failing row in the result."""
    import great_expectations as gx

    context = _context()
    source = context.data_sources.add_pandas("archive")
    results: data_docs.Results = {}
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
    """In memory, with no bars or analytics of its own, and no site in the system's folder for temporary files."""
    import great_expectations as gx
    from great_expectations.data_context.types import base

    config = base.DataContextConfig(
        store_backend_defaults=base.InMemoryStoreBackendDefaults(init_temp_docs_sites=False),
        progress_bars=base.ProgressBarsConfig(globally=False, metric_calculations=False),
        analytics_enabled=False,
    )
    return gx.get_context(mode="ephemeral", project_config=config)


def _rows(found: tables.Tables, rules: tuple[suites.Rule, ...], results: data_docs.Results) -> list[dict[str, Any]]:
    sizes = {rule.suite: len(getattr(found, rule.suite)) for rule in rules}
    return expectation_rows(rules, results, sizes)


def expectation_rows(
    rules: tuple[suites.Rule, ...], results: data_docs.Results, sizes: dict[str, int]
) -> list[dict[str, Any]]:
    """One row of plain data per expectation, in the order of the rules."""
    items = [item for result in results.values() for item in result.results]
    by_name = {item.expectation_config.meta["name"]: item for item in items if item.expectation_config}
    return [_row(rule, by_name[rule.name], sizes[rule.suite]) for rule in rules]


def _summary(digest: str, params: Params, found: tables.Tables, rows: list[dict[str, Any]]) -> dict[str, Any]:
    failing = [row for row in rows if not row["passed"] and row["suite"] != suites.REFUSED]
    return {
        "passed": not failing,
        "sha256": digest,
        "split": params.data.split,
        "counts": {
            "forms": len(found.forms),
            "lines": len(found.lines),
            "writers": found.forms["writer"].nunique(),
            "excluded": len(found.excluded),
        },
        "splits": {row["split"]: _count(row) for row in found.splits.to_dict("records")},
        "drift": found.compared,
        "feedback": _feedback([str(name) for name in found.feedback["id"]], rows),
        "expectations": [{key: value for key, value in row.items() if key != "forms"} for row in rows],
        "forms_at_fault": sorted({form for row in failing for form in row["forms"] if form}),
    }


def _feedback(names: list[str], rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Which corrections are good to learn from, and why the others are not."""
    refused: dict[str, list[str]] = {}
    for row in rows:
        if row["suite"] == suites.REFUSED:
            for name, value in zip(row["ids"], row["found"], strict=True):
                refused.setdefault(name, []).append(f"{row['name']}: {value or row['fails_when']}")
    return {"accepted": [name for name in names if name not in refused], "refused": refused}


def _count(row: dict[Any, Any]) -> dict[str, int]:
    return {key: int(row[key]) for key in ("forms", "lines", "writers")}


def _row(rule: suites.Rule, item: "ExpectationValidationResult", rows: int) -> dict[str, Any]:
    """One expectation as plain data; `forms` are the forms that its failing rows belong to, '' where they have none.

    Rows may fail an expectation that passed: some suites tolerate a small share.
    """
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
        "wrong": None if passed and not ids else in_words(wrong, ids, found),
        "fix": rule.fix,
        "forms": [entry[2] for entry in entries],
    }


def _entries(rule: suites.Rule, item: "ExpectationValidationResult") -> list[tuple[str, str, str]]:
    """Of each failing row: its id, what was found there, and its form ('' where it has none)."""
    key = suites.INDEX[rule.suite][0]
    found = "forms" if rule.suite == "writers" else rule.column
    form = {"forms": "id", "lines": "form", "crops": "id", "line_crops": "id"}.get(rule.suite, "")
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
