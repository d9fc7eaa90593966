"""Validate packed crops before they replace the previous ones: they are what a model is trained on."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from text_recognizer.core.errors import DataError
from text_recognizer.core.params import PreprocessSection
from text_recognizer.core.schemas import Expectation
from text_recognizer.corpora.packed_lines import PackedLine
from text_recognizer.corpora.packed_pages import PackedPage
from text_recognizer.utils import telemetry
from text_recognizer.validation import crop_checks, data_docs, line_crop_checks, thumbnails
from text_recognizer.validation.suite_runner import checked_expectations, run_suites


@dataclass(frozen=True)
class CropSummary:
    """The result: whether the crops are valid, the pages in each split, and every expectation."""

    passed: bool
    pages: dict[str, int]
    expectations: tuple[Expectation, ...]


def crop_fault(
    canvas: np.ndarray,
    page: PackedPage,
    lines: Sequence[tuple[np.ndarray, PackedLine]],
    section: PreprocessSection,
) -> str | None:
    """Return what is wrong with one page, by the rules of `check_crops`; None if nothing is."""
    found = crop_checks.faults(canvas, page, section)
    for picture, line in lines:
        found += [f"line {line.id}: {fault}" for fault in line_crop_checks.faults(picture, line, section)]
    return "; ".join(found) or None


def check_crops(folder: Path, section: PreprocessSection, docs: Path) -> None:
    """Check a folder of packed splits and write its Data Docs to `docs`. Raises DataError if an expectation fails."""
    telemetry.disable_telemetry()
    frames, rules = {crop_checks.SUITE: crop_checks.build(folder, section)}, crop_checks.rules(section)
    if section.line_height:
        frames[line_crop_checks.SUITE] = line_crop_checks.build(folder)
        rules += line_crop_checks.rules(section)
    results = run_suites(frames, rules)
    checked = checked_expectations(rules, results, frames)
    failing = [row.record for row in checked if not row.record.passed]
    counts = frames[crop_checks.SUITE].groupby("split", sort=False).size()
    pages = {str(split): int(count) for split, count in counts.items()}
    summary = CropSummary(not failing, pages, tuple(row.record for row in checked))
    data_docs.write(docs, summary, rules, results, data_docs.SiteFiles(thumbnails.crop_thumbnails(checked, folder)))
    if failing:
        named = "\n    ".join(str(row.wrong) for row in failing)
        raise DataError(f"the crops are not valid:\n    {named}", f"open {docs}/index.html, which shows the crops")
