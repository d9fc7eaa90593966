"""Examine corrections: one row per correction, faulty ones included, and what is wrong with a single one."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from text_recognizer.core.charset import min_ctc_steps
from text_recognizer.core.errors import DataError
from text_recognizer.core.geometry import Box
from text_recognizer.core.params import Params, PreprocessSection
from text_recognizer.corpora import corrections
from text_recognizer.corpora.iam import SCAN_DPI, Form
from text_recognizer.pages.feature_grid import FeatureGrid
from text_recognizer.validation import page_checks, suites
from text_recognizer.validation.form_tables import CONTEXT_COLUMNS, FormRow, LineRow, line_rows
from text_recognizer.validation.row_checks import broken_rules, describe_fault

if TYPE_CHECKING:
    import pandas as pd

# Broken rules that a sender can do nothing about: they follow from the parameters of the pipeline.
OF_THE_PIPELINE = ("correction_fits_page", "correction_fits_canvas")


@dataclass(frozen=True)
class CorrectionLimits:
    """What corrections are checked by: how they are packed for training, and `validate.ink_min`."""

    section: PreprocessSection
    ink_min: float

    @classmethod
    def of(cls, params: Params) -> "CorrectionLimits":
        """Return the limits that `params.yaml` sets."""
        return cls(params.preprocess, params.validate_.ink_min)


@dataclass(frozen=True)
class CorrectionRow:
    """One correction. A value that cannot be determined is None.

    `no_text`, `unknown`, `outside` and `order` name the first faulty line in a sentence. `spare_in_box` and
    `spare_on_canvas` are the minima over its lines, `line_distance` is the least distance between the middles of two
    lines and `height` the least height of a box, both in inches, and `ink` is the dark share of the palest line's box.
    `scale` is the resolution on the canvas, relative to preprocess.dpi. `repeats` names a later correction of the same
    page, `held_out` the page of the validation or test split that it shows.
    """

    id: str
    problem: str | None = None
    no_text: str | None = None
    unknown: str | None = None
    outside: str | None = None
    order: str | None = None
    line_distance: float | None = None
    height: float | None = None
    scale: float | None = None
    spare_in_box: float | None = None
    spare_on_canvas: float | None = None
    ink: float | None = None
    repeats: str | None = None
    held_out: str | None = None


@dataclass(frozen=True)
class Fault:
    """What is wrong with a correction: the name of the rule, a sentence with the line, and what to do."""

    rule: str
    what: str
    fix: str


@dataclass(frozen=True)
class Examined:
    """A row, and `worst`: the number of the line that has the least value of a column.

    `edges` is the perceptual hash of the page if its boxes lie on writing, and `made` the time in UTC.
    """

    row: CorrectionRow
    worst: dict[str, int] = field(default_factory=dict)
    edges: np.ndarray | None = None
    made: str = ""

    def faults(self, limits: CorrectionLimits) -> list[Fault]:
        """Return what is wrong, by the rules of the suite `feedback`."""
        return [self._fault(rule) for rule in broken_rules(self.row, _rules(limits))]

    def _fault(self, rule: suites.Rule) -> Fault:
        return Fault(rule.name, describe_fault(self.row, rule, self.worst.get(rule.column)), rule.fix)


def build(
    folder: Path | None, forms: Sequence[FormRow], members: dict[str, list[str]], params: Params
) -> "pd.DataFrame":
    """Return one row per correction in the folder; no rows if there is no folder."""
    import pandas as pd

    limits = CorrectionLimits.of(params)
    examined = [_read(folder, name, limits) for name in corrections.list_ids(folder)] if folder else []
    rows = [vars(row) for row in _mark_repeated(_mark_held_out(examined, forms, members), limits)]
    frame = pd.DataFrame(rows, columns=[field.name for field in fields(CorrectionRow)])
    for column in fields(CorrectionRow):
        frame[column.name] = frame[column.name].astype(object if "str" in str(column.type) else float)
        if "str" in str(column.type):
            frame[column.name] = frame[column.name].where(frame[column.name].notna(), None)
    return frame


def examine(correction: corrections.Correction, limits: CorrectionLimits) -> Examined:
    """Examine one correction by itself."""
    form = correction.form
    if not form.lines:
        return Examined(CorrectionRow(correction.id, unknown="; ".join(correction.left_out)))
    lines, numbers = line_rows(form.id, form, limits.section), [corrections.line_number(line) for line in form.lines]
    row = CorrectionRow(
        correction.id,
        no_text=_first_fault(numbers, [None if line.characters else "has no text" for line in lines]),
        outside=_first_fault(numbers, [line.outside for line in lines]),
        order=_first_fault(numbers, ["is not below the previous line" if _not_below(line) else None for line in lines]),
    )
    if row.outside:
        return Examined(row)
    row = replace(row, scale=_scale(form, limits.section))
    found = {
        "height": [line.box.height / SCAN_DPI for line in form.lines if line.box],
        "spare_on_canvas": [float(line.spare_on_canvas) for line in lines],
        "spare_in_box": list(_spare_in_boxes(form, limits.section, row.scale)),
    }
    writing = None if row.order else page_checks.examine(form, correction.picture)
    if writing:
        # A single line has no distance to another.
        found |= {"line_distance": _distances(form), "ink": list(writing.lines)}
    worst = {column: int(np.argmin(values)) for column, values in found.items() if values}
    values: dict[str, Any] = {column: found[column][at] for column, at in worst.items()}
    row = replace(row, **values)
    edges = writing.edges if writing and row.ink is not None and row.ink >= limits.ink_min else None
    named = {column: numbers[at + (column == "line_distance")] for column, at in worst.items()}
    return Examined(row, named, edges, corrections.to_utc(correction.made))


def _rules(limits: CorrectionLimits) -> list[suites.Rule]:
    return suites.feedback_rules(limits.section, limits.ink_min)


def _read(folder: Path, name: str, limits: CorrectionLimits) -> Examined:
    try:
        return examine(corrections.read(folder, name), limits)
    except DataError as error:
        return Examined(CorrectionRow(name, problem=error.what.replace(f"{folder}/", "")))


def _scale(form: Form, section: PreprocessSection) -> float:
    """Return the resolution of the page's lines on the canvas, relative to preprocess.dpi, as cropping makes it."""
    assert form.box
    margin = section.padding / section.dpi * SCAN_DPI
    width = min(form.width, form.box.right + margin) - max(0, form.box.x - margin)
    height = min(form.height, form.box.bottom + margin) - max(0, form.box.y - margin)
    inches = section.canvas_width / section.dpi, section.canvas_height / section.dpi
    return round(min(1.0, inches[0] * SCAN_DPI / width, inches[1] * SCAN_DPI / height), 3)


def _spare_in_boxes(form: Form, section: PreprocessSection, scale: float | None) -> Iterator[float]:
    """Yield the columns that each line has on the canvas beyond what CTC needs. Too large a page is another fault."""
    if scale is None or scale < suites.MIN_SCALE:
        scale = 1.0
    for line in form.lines:
        width = line.box.width if line.box else 0
        columns = int(FeatureGrid.at(section.dpi).columns(width / SCAN_DPI * scale))
        yield float(columns + 2 * CONTEXT_COLUMNS - min_ctc_steps(line.text))


def _distances(form: Form) -> list[float]:
    """Return the distances between the middles of neighbouring lines, in inches."""
    boxes: list[Box] = [line.box for line in form.lines if line.box]
    middles = [box.y + box.height / 2 for box in boxes]
    return [round(abs(below - above) / SCAN_DPI, 3) for above, below in pairwise(middles)]


def _not_below(line: LineRow) -> bool:
    return line.step is not None and line.step <= 0


def _first_fault(numbers: Sequence[int], faults: Sequence[str | None]) -> str | None:
    """Return the first faulty line, by its number, and how many more there are."""
    named = [f"line {number} {fault}" for number, fault in zip(numbers, faults, strict=True) if fault]
    return (named[0] + (f", and {len(named) - 1} more" if len(named) > 1 else "")) if named else None


def _mark_repeated(examined: list[Examined], limits: CorrectionLimits) -> list[CorrectionRow]:
    """Mark corrections that a later correction of the same page replaces. A later one with a fault replaces none."""
    sound = [one for one in examined if one.edges is not None and not one.faults(limits)]
    out = []
    for mine in examined:
        later = [other for other in sound if (other.made, other.row.id) > (mine.made, mine.row.id)]
        repeated = _nearest(mine.edges, [other.edges for other in later])
        out.append(mine.row if repeated is None else replace(mine.row, repeats=later[repeated].row.id))
    return out


def _mark_held_out(examined: list[Examined], forms: Sequence[FormRow], members: dict[str, list[str]]) -> list[Examined]:
    """Mark corrections of pages that the score is measured on: training on them would inflate the score."""
    held_out = [form for form in forms if {"validation", "test"} & set(members.get(form.id, ()))]
    hashes = [np.frombuffer(bytes.fromhex(form.edges), dtype=np.uint8) if form.edges else None for form in held_out]
    out = []
    for mine in examined:
        same = _nearest(mine.edges, hashes)
        name = None if same is None else held_out[same].id
        marked = f"{name} of {', '.join(members[name])}" if name else None
        out.append(replace(mine, row=replace(mine.row, held_out=marked)))
    return out


def _nearest(edges: np.ndarray | None, others: Sequence[np.ndarray | None]) -> int | None:
    """Return the index of the most similar of `others` if it shows the same page; None if none does."""
    known = [(index, other) for index, other in enumerate(others) if other is not None]
    if edges is None or not known:
        return None
    nearest, distance = page_checks.nearest(edges[None], np.stack([other for _, other in known]))
    return known[nearest[0]][0] if distance[0] <= page_checks.MAX_HASH_DISTANCE else None
