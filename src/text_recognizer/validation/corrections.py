"""The feedback folder as a table: what each correction is like, faults included."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from text_recognizer.config import Params
from text_recognizer.data import feedback
from text_recognizer.errors import DataError
from text_recognizer.validation import picture
from text_recognizer.validation.reading import FormRow, LineRow, line_rows

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class CorrectionRow:
    """One correction. What cannot be known is None.

    `no_text`, `unknown`, `outside` and `order` say in words which of its lines is at fault. `spare_in_box` and
    `spare_on_canvas` are the least of its lines', `ink` is the dark share of the palest line's box. `repeats` names a
    later correction of the same page, `held_out` the page of the validation or test split that it is.
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


def build(
    folder: Path | None, forms: Sequence[FormRow], members: dict[str, list[str]], params: Params
) -> "pd.DataFrame":
    """One row per correction of the folder; none where there is no folder."""
    import pandas as pd

    rows, hashes, made = [], [], []
    for name in feedback.list_ids(folder) if folder else []:
        row, edges, when = _read(folder, name, params) if folder else (CorrectionRow(name), None, "")
        rows.append(row)
        hashes.append(edges)
        made.append(when)
    rows = _repeated(rows, hashes, made)
    rows = _held_out(rows, hashes, forms, members)
    frame = pd.DataFrame([vars(row) for row in rows], columns=[field.name for field in fields(CorrectionRow)])
    for field in fields(CorrectionRow):
        frame[field.name] = frame[field.name].astype(object if "str" in str(field.type) else float)
        if "str" in str(field.type):
            frame[field.name] = frame[field.name].where(frame[field.name].notna(), None)
    return frame


def _read(folder: Path, name: str, params: Params) -> tuple[CorrectionRow, np.ndarray | None, str]:
    """The row, the page's hash where its boxes lie on it, and when the correction was made, in UTC."""
    try:
        correction = feedback.read(folder, name)
    except DataError as error:
        return CorrectionRow(name, problem=error.what.replace(f"{folder}/", "")), None, ""
    lines = line_rows(correction.form.id, correction.form, params.preprocess)
    writing = picture.examine(correction.form, correction.picture)
    row = CorrectionRow(
        name,
        no_text=_first([None if line.characters else "has no text" for line in lines]),
        unknown=_first([line.unknown for line in lines]),
        outside=_first([line.outside for line in lines]),
        order=_first(["is not below the one before" if _above(line) else None for line in lines]),
        spare_in_box=min(line.spare_in_box for line in lines if line.spare_in_box is not None),
        spare_on_canvas=min(line.spare_on_canvas for line in lines),
    )
    if writing is None or row.outside or row.order:
        return row, None, ""
    ink = min(writing.lines)
    edges = writing.edges if ink >= params.validate_.ink_min else None
    return replace(row, ink=ink), edges, feedback.utc(correction.made)


def _above(line: LineRow) -> bool:
    return line.step is not None and line.step <= 0


def _first(faults: Sequence[str | None]) -> str | None:
    """The first line at fault, by its number, and how many more there are."""
    named = [f"line {number} {fault}" for number, fault in enumerate(faults, 1) if fault]
    return (named[0] + (f", and {len(named) - 1} more" if len(named) > 1 else "")) if named else None


def _repeated(rows: list[CorrectionRow], hashes: list[np.ndarray | None], made: list[str]) -> list[CorrectionRow]:
    """A page that was corrected twice counts once: as it was corrected last."""
    known = [index for index, edges in enumerate(hashes) if edges is not None]
    out = list(rows)
    for index in known:
        later = [other for other in known if (made[other], rows[other].id) > (made[index], rows[index].id)]
        if not later:
            continue
        nearest, distance = picture.nearest(_stack([hashes[index]]), _stack([hashes[other] for other in later]))
        if distance[0] <= picture.ALIKE:
            out[index] = replace(rows[index], repeats=rows[later[nearest[0]]].id)
    return out


def _held_out(
    rows: list[CorrectionRow], hashes: list[np.ndarray | None], forms: Sequence[FormRow], members: dict[str, list[str]]
) -> list[CorrectionRow]:
    """To learn a page that the score is measured on would flatter it."""
    kept = [form for form in forms if form.edges and {"validation", "test"} & set(members.get(form.id, ()))]
    if not kept:
        return rows
    targets = _stack([np.frombuffer(bytes.fromhex(form.edges or ""), dtype=np.uint8) for form in kept])
    out = list(rows)
    for index, edges in enumerate(hashes):
        if edges is not None:
            nearest, distance = picture.nearest(_stack([edges]), targets)
            if distance[0] <= picture.ALIKE:
                form = kept[nearest[0]]
                out[index] = replace(rows[index], held_out=f"{form.id} of {', '.join(members[form.id])}")
    return out


def _stack(hashes: Sequence[np.ndarray | None]) -> np.ndarray:
    return np.stack([edges for edges in hashes if edges is not None])
