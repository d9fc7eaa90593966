"""Build the table of corrections: one row per correction in the folder, faulty ones included."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from text_recognizer.core.errors import DataError
from text_recognizer.core.params import Params
from text_recognizer.corpora import corrections
from text_recognizer.validation import page_checks
from text_recognizer.validation.form_tables import FormRow, LineRow, line_rows

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class CorrectionRow:
    """One correction. A value that cannot be determined is None.

    `no_text`, `unknown`, `outside` and `order` name the first faulty line in a sentence. `spare_in_box` and
    `spare_on_canvas` are the minima over its lines, and `ink` is the dark share of the palest line's box. `repeats`
    names a later correction of the same page, `held_out` the page of the validation or test split that it shows.
    """

    id: str
    problem: str | None = None
    no_text: str | None = None
    unknown: str | None = None
    outside: str | None = None
    order: str | None = None
    spare_in_box: float | None = None
    spare_on_canvas: float | None = None
    ink: float | None = None
    repeats: str | None = None
    held_out: str | None = None


@dataclass(frozen=True)
class _Examined:
    """A row, the perceptual hash of the page if its boxes lie on writing, and the time of the correction in UTC."""

    row: CorrectionRow
    edges: np.ndarray | None = None
    made: str = ""


def build(
    folder: Path | None, forms: Sequence[FormRow], members: dict[str, list[str]], params: Params
) -> "pd.DataFrame":
    """Return one row per correction in the folder; no rows if there is no folder."""
    import pandas as pd

    examined = [_examine(folder, name, params) for name in corrections.list_ids(folder)] if folder else []
    rows = [vars(row) for row in _mark_held_out(_mark_repeated(examined), forms, members)]
    frame = pd.DataFrame(rows, columns=[field.name for field in fields(CorrectionRow)])
    for field in fields(CorrectionRow):
        frame[field.name] = frame[field.name].astype(object if "str" in str(field.type) else float)
        if "str" in str(field.type):
            frame[field.name] = frame[field.name].where(frame[field.name].notna(), None)
    return frame


def _examine(folder: Path, name: str, params: Params) -> _Examined:
    try:
        correction = corrections.read(folder, name)
    except DataError as error:
        return _Examined(CorrectionRow(name, problem=error.what.replace(f"{folder}/", "")))
    lines = line_rows(correction.form.id, correction.form, params.preprocess)
    writing = page_checks.examine(correction.form, correction.picture)
    row = CorrectionRow(
        name,
        no_text=_first_fault([None if line.characters else "has no text" for line in lines]),
        unknown=_first_fault([line.unknown for line in lines]),
        outside=_first_fault([line.outside for line in lines]),
        order=_first_fault(["is not below the previous line" if _not_below(line) else None for line in lines]),
        spare_in_box=min(line.spare_in_box for line in lines if line.spare_in_box is not None),
        spare_on_canvas=min(line.spare_on_canvas for line in lines),
    )
    if writing is None or row.outside or row.order:
        return _Examined(row)
    ink = min(writing.lines)
    edges = writing.edges if ink >= params.validate_.ink_min else None
    return _Examined(replace(row, ink=ink), edges, corrections.to_utc(correction.made))


def _not_below(line: LineRow) -> bool:
    return line.step is not None and line.step <= 0


def _first_fault(faults: Sequence[str | None]) -> str | None:
    """Return the first faulty line, by its number, and how many more there are."""
    named = [f"line {number} {fault}" for number, fault in enumerate(faults, 1) if fault]
    return (named[0] + (f", and {len(named) - 1} more" if len(named) > 1 else "")) if named else None


def _mark_repeated(examined: list[_Examined]) -> list[_Examined]:
    """Mark corrections that a later correction of the same page replaces."""
    out = []
    for mine in examined:
        later = [other for other in examined if (other.made, other.row.id) > (mine.made, mine.row.id)]
        repeated = _nearest(mine.edges, [other.edges for other in later])
        out.append(mine if repeated is None else replace(mine, row=replace(mine.row, repeats=later[repeated].row.id)))
    return out


def _mark_held_out(
    examined: list[_Examined], forms: Sequence[FormRow], members: dict[str, list[str]]
) -> list[CorrectionRow]:
    """Mark corrections of pages that the score is measured on: training on them would inflate the score."""
    held_out = [form for form in forms if {"validation", "test"} & set(members.get(form.id, ()))]
    hashes = [np.frombuffer(bytes.fromhex(form.edges), dtype=np.uint8) if form.edges else None for form in held_out]
    out = []
    for mine in examined:
        same = _nearest(mine.edges, hashes)
        name = None if same is None else held_out[same].id
        out.append(replace(mine.row, held_out=f"{name} of {', '.join(members[name])}") if name else mine.row)
    return out


def _nearest(edges: np.ndarray | None, others: Sequence[np.ndarray | None]) -> int | None:
    """Return the index of the most similar of `others` if it shows the same page; None if none does."""
    known = [(index, other) for index, other in enumerate(others) if other is not None]
    if edges is None or not known:
        return None
    nearest, distance = page_checks.nearest(edges[None], np.stack([other for _, other in known]))
    return known[nearest[0]][0] if distance[0] <= page_checks.MAX_HASH_DISTANCE else None
