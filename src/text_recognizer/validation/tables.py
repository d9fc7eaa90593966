"""An archive as pandas tables: its forms, lines, writers and splits, and beside them its corrections and its drift."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tqdm import tqdm

from text_recognizer.config import DataSection, Params
from text_recognizer.data.iam import SPLITS, IamArchive
from text_recognizer.validation import corrections, drift, picture
from text_recognizer.validation.reading import FormRow, LineRow, read_forms

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Tables:
    """`forms` and `lines` have the columns of FormRow and LineRow, and `split`: None where a form is in no split.

    `forms` also has `memberships`, in how many splits a form is, and `twin`, another form whose page looks the same.
    `writers` has one row per writer of a form that is in a split: writer, splits (how many), forms (which, by split).
    `splits` has one row per split: split, forms, lines, writers (how many). `excluded` are ids left out on request.
    `feedback` has the columns of CorrectionRow, `drift` those of `drift.table`; `labels` is what it describes, and
    `compared` says with what.
    """

    forms: "pd.DataFrame"
    lines: "pd.DataFrame"
    writers: "pd.DataFrame"
    splits: "pd.DataFrame"
    feedback: "pd.DataFrame"
    drift: "pd.DataFrame"
    excluded: tuple[str, ...]
    labels: dict[str, Any]
    compared: str


def build(
    archive: Path, params: Params, feedback: Path | None = None, reference: drift.Reference = drift.NOTHING
) -> Tables:
    """Reads every form once. Raises DataError where the archive itself cannot be opened or lacks the split's lists."""
    with IamArchive(archive) as iam:
        everything = sorted({*iam.picture_ids, *iam.label_ids})
        splits = iam.splits(params.data.split)
    ids = [form_id for form_id in everything if form_id not in params.data.exclude]
    forms: list[FormRow] = []
    lines: list[LineRow] = []
    for form, of_form in tqdm(read_forms(archive, ids, params), desc="validate", total=len(ids), unit="form"):
        forms.append(form)
        lines.extend(of_form)
    members = _members(splits, params.data)
    labels = drift.describe([line.text for line in lines], len(forms))
    return Tables(
        forms=_form_table(forms, members),
        lines=_line_table(lines, members),
        writers=_writers(forms, members),
        splits=_splits(forms, lines, members),
        feedback=corrections.build(feedback, forms, members, params),
        drift=drift.table(labels, reference),
        excluded=tuple(form_id for form_id in everything if form_id in params.data.exclude),
        labels=labels,
        compared=reference.why,
    )


def _members(splits: dict[str, list[str]], data: DataSection) -> dict[str, list[str]]:
    """Which splits each form is in."""
    members: dict[str, list[str]] = {}
    for split in SPLITS:
        for form_id in splits[split]:
            if form_id not in data.exclude:
                members.setdefault(form_id, []).append(split)
    return members


def _form_table(forms: list[FormRow], members: dict[str, list[str]]) -> "pd.DataFrame":
    table = _frame(FormRow, forms)
    table["split"] = [", ".join(members.get(row.id, ())) or None for row in forms]
    table["memberships"] = [len(members.get(row.id, ())) for row in forms]
    table["twin"] = _twins(forms)
    return table.drop(columns="edges")


def _line_table(lines: list[LineRow], members: dict[str, list[str]]) -> "pd.DataFrame":
    table = _frame(LineRow, lines)
    table["split"] = [", ".join(members.get(row.form, ())) or None for row in lines]
    return table.drop(columns="text")


def _twins(forms: list[FormRow]) -> list[str | None]:
    """Of each form, another whose page looks the same. The very same file is for `pictures_differ` to report."""
    known = [index for index, form in enumerate(forms) if form.edges]
    twins: list[str | None] = [None] * len(forms)
    if not known:
        return twins
    hashes = np.stack([np.frombuffer(bytes.fromhex(forms[index].edges or ""), dtype=np.uint8) for index in known])
    nearest, distance = picture.nearest(hashes)
    for row in np.flatnonzero(distance <= picture.ALIKE):
        mine, other = forms[known[row]], forms[known[nearest[row]]]
        if mine.fingerprint != other.fingerprint:
            twins[known[row]] = f"{other.id}, {1 - distance[row]:.0%} alike"
    return twins


def _frame(kind: type[FormRow] | type[LineRow], rows: list[FormRow] | list[LineRow]) -> "pd.DataFrame":
    """One column per field; numbers are numbers even where every value is unknown, so that they can be compared."""
    import dataclasses

    import pandas as pd

    frame = pd.DataFrame([vars(row) for row in rows], columns=[field.name for field in dataclasses.fields(kind)])
    for field in dataclasses.fields(kind):
        text = "str" in str(field.type)
        frame[field.name] = frame[field.name].astype(object if text else float)
        if text:
            frame[field.name] = frame[field.name].where(frame[field.name].notna(), None)
    return frame


def _writers(forms: list[FormRow], members: dict[str, list[str]]) -> "pd.DataFrame":
    import pandas as pd

    by_writer: dict[str, dict[str, list[str]]] = {}
    for form in forms:
        for split in members.get(form.id, ()):
            if form.writer:
                by_writer.setdefault(form.writer, {}).setdefault(split, []).append(form.id)
    rows = [
        (writer, len(where), "; ".join(f"{split}: {', '.join(ids)}" for split, ids in where.items()))
        for writer, where in sorted(by_writer.items())
    ]
    return pd.DataFrame(rows, columns=["writer", "splits", "forms"])


def _splits(forms: list[FormRow], lines: list[LineRow], members: dict[str, list[str]]) -> "pd.DataFrame":
    import pandas as pd

    rows = []
    for split in SPLITS:
        inside = [form for form in forms if split in members.get(form.id, ())]
        ids = {form.id for form in inside}
        writers = {form.writer for form in inside if form.writer}
        rows.append((split, len(inside), sum(line.form in ids for line in lines), len(writers)))
    return pd.DataFrame(rows, columns=["split", "forms", "lines", "writers"])
