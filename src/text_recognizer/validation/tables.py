"""Build the pandas tables that the suites check: forms, lines, writers, splits, corrections and drift."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from text_recognizer.core.params import DataSection, Params
from text_recognizer.core.schemas import LabelStatistics
from text_recognizer.corpora.iam import SPLITS, IamArchive
from text_recognizer.validation import correction_checks, drift, page_checks
from text_recognizer.validation.form_tables import FormRow, LineRow, read_forms

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Tables:
    """One table for each suite, and what the summary needs besides.

    `forms` and `lines` have the columns of FormRow and LineRow and a column `split`, None for a form in no split.
    `forms` also has `memberships`, the number of splits that the form is in, and `same_page`, another form whose page
    looks the same. `writers` has one row per writer of a form in a split: writer, splits (their number) and forms
    (their ids by split). `splits` has one row per split: split, forms, lines and writers (their numbers). `feedback`
    has the columns of CorrectionRow, `drift` those of `drift.table`. `excluded` are the ids left out on request,
    `labels` the statistics of the texts, and `compared` says what they were compared with.
    """

    forms: "pd.DataFrame"
    lines: "pd.DataFrame"
    writers: "pd.DataFrame"
    splits: "pd.DataFrame"
    feedback: "pd.DataFrame"
    drift: "pd.DataFrame"
    excluded: tuple[str, ...]
    labels: LabelStatistics
    compared: str

    def of_suite(self, suite: str) -> "pd.DataFrame":
        """Return the table that a suite checks."""
        return {
            "forms": self.forms,
            "lines": self.lines,
            "writers": self.writers,
            "splits": self.splits,
            "feedback": self.feedback,
            "drift": self.drift,
        }[suite]


def build(
    archive: Path,
    params: Params,
    feedback: Path | None = None,
    reference: drift.Comparison = drift.NOT_COMPARED,
) -> Tables:
    """Read every form once. Raises DataError if the archive cannot be opened or lacks the lists of the split."""
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
        feedback=correction_checks.build(feedback, forms, members, params),
        drift=drift.table(labels, reference),
        excluded=tuple(form_id for form_id in everything if form_id in params.data.exclude),
        labels=labels,
        compared=reference.description,
    )


def _members(splits: dict[str, list[str]], data: DataSection) -> dict[str, list[str]]:
    """Return the splits of each form."""
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
    table["same_page"] = _find_same_pages(forms)
    return table.drop(columns="edges")


def _line_table(lines: list[LineRow], members: dict[str, list[str]]) -> "pd.DataFrame":
    table = _frame(LineRow, lines)
    table["split"] = [", ".join(members.get(row.form, ())) or None for row in lines]
    return table.drop(columns="text")


def _find_same_pages(forms: list[FormRow]) -> list[str | None]:
    """Return for each form another one whose page looks the same.

    Identical files do not count here: the expectation `pictures_differ` reports those.
    """
    known = [index for index, form in enumerate(forms) if form.edges]
    same_pages: list[str | None] = [None] * len(forms)
    if not known:
        return same_pages
    hashes = np.stack([np.frombuffer(bytes.fromhex(forms[index].edges or ""), dtype=np.uint8) for index in known])
    nearest, distance = page_checks.nearest(hashes)
    for row in np.flatnonzero(distance <= page_checks.MAX_HASH_DISTANCE):
        mine, other = forms[known[row]], forms[known[nearest[row]]]
        if mine.fingerprint != other.fingerprint:
            same_pages[known[row]] = f"{other.id}, {1 - distance[row]:.0%} alike"
    return same_pages


def _frame(kind: type[FormRow] | type[LineRow], rows: list[FormRow] | list[LineRow]) -> "pd.DataFrame":
    """Return one column per field. Numeric columns stay numeric if every value is unknown, so that they compare."""
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
