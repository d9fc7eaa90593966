"""Build the pandas tables that the suites check: forms, lines, writers, splits, corrections and drift."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from tqdm import tqdm

from text_recognizer.core.params import Params
from text_recognizer.core.schemas import LabelStatistics, SourceCounts
from text_recognizer.corpora.iam import SPLITS
from text_recognizer.corpora.left_out import read_left_out
from text_recognizer.corpora.page_sources import PageSource, open_sources
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
    `labels` the statistics of the texts, and `compared` says what they were compared with. `sources` are the counts of
    each source, and `archives` has the archive of each form.
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
    sources: tuple[SourceCounts, ...]
    archives: dict[str, Path]

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
    sources: Sequence[PageSource],
    params: Params,
    feedback: Path | None = None,
    reference: drift.Comparison = drift.NOT_COMPARED,
) -> Tables:
    """Read every form once. Raises DataError if an archive cannot be opened or lacks the lists of its split."""
    with open_sources(sources, params.data.exclude) as opened:
        of_source = [(one.source, one.ids) for one in opened]
        members = _members([one.parts for one in opened])
        excluded = tuple(form_id for one in opened for form_id in one.excluded)
    read: list[tuple[PageSource, FormRow, tuple[LineRow, ...]]] = []
    with tqdm(desc="validate", total=sum(len(ids) for _, ids in of_source), unit="form") as bar:
        for source, ids in of_source:
            for form, of_form in read_forms(source.archive, ids, params, source.has_found_lines):
                read.append((source, form, of_form))
                bar.update()
    forms = _with_copies([form for _, form, _ in read])
    lines = [line for _, _, of_form in read for line in of_form]
    labels = drift.describe([line.text for line in lines], len(forms))
    return Tables(
        forms=_form_table(forms, members),
        lines=_line_table(lines, members),
        writers=_writers(forms, members),
        splits=_splits(forms, lines, members),
        feedback=correction_checks.build(feedback, forms, members, params),
        drift=drift.table(labels, reference),
        excluded=excluded,
        labels=labels,
        compared=reference.description,
        sources=tuple(_source_counts(source, read) for source in sources),
        archives={form.id: source.archive for source, form, _ in read},
    )


def _members(parts: Sequence[dict[str, list[str]]]) -> dict[str, list[str]]:
    """Return the splits of each form, from the parts of each source."""
    members: dict[str, list[str]] = {}
    for split in SPLITS:
        for form_id in (form_id for of_source in parts for form_id in of_source[split]):
            members.setdefault(form_id, []).append(split)
    return members


def _with_copies(forms: Sequence[FormRow]) -> list[FormRow]:
    """Return the rows with the copies of each form in all sources together."""
    copies: Counter[str] = Counter()
    for form in forms:
        copies[form.id] += form.copies
    return [replace(form, copies=copies[form.id]) for form in forms]


def _source_counts(source: PageSource, read: Sequence[tuple[PageSource, FormRow, tuple[LineRow, ...]]]) -> SourceCounts:
    own = [(form, lines) for of_source, form, lines in read if of_source is source]
    left_out = Counter(row.reason for row in read_left_out(source.archive) if row.text is not None)
    return SourceCounts(
        name=source.name,
        forms=len(own),
        lines=sum(len(lines) for _, lines in own),
        writers=len({form.writer for form, _ in own if form.writer}),
        left_out=dict(sorted(left_out.items())),
    )


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
