"""Compare the labels with those of the last accepted data, so that a changed export is noticed before training.

The reference is a small JSON file that is written when a validation passes. Data from another source or split are not
compared.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from text_recognizer.core.data_params import DataSection
from text_recognizer.core.errors import DataError
from text_recognizer.core.schemas import DriftReference, LabelStatistics
from text_recognizer.utils.records import read_record

if TYPE_CHECKING:
    import pandas as pd

CHARACTERS = "characters"
RESTORE = "restore it from git, or remove it to accept the next data as they are"
MEASURES = ("capitals", "spaces", "line_length", "lines_a_form")


@dataclass(frozen=True)
class Comparison:
    """The statistics to compare with, None if there are none, and a sentence that says which data they describe."""

    labels: LabelStatistics | None
    description: str


NOT_COMPARED = Comparison(None, "not compared: no other data have been accepted yet")


def describe(texts: Sequence[str], forms: int) -> LabelStatistics:
    """Return the statistics of the texts of all lines on `forms` forms."""
    counts = Counter("".join(texts))
    total = max(1, sum(counts.values()))
    return LabelStatistics(
        characters={character: round(count / total, 6) for character, count in sorted(counts.items())},
        capitals=round(sum(count for character, count in counts.items() if character.isupper()) / total, 6),
        spaces=round(counts[" "] / total, 6),
        line_length=round(total / max(1, len(texts)), 3),
        lines_a_form=round(len(texts) / max(1, forms), 3),
    )


def new_reference(labels: LabelStatistics, data: DataSection, sha256: str) -> DriftReference:
    """Return what is kept of data when they are accepted."""
    return DriftReference(source=data.addresses, split=data.split_names, sha256=sha256, labels=labels)


def open_reference(path: Path | None, data: DataSection, sha256: str) -> Comparison:
    """Return what to compare data of this digest with. Raises DataError if the file is damaged.

    If the data have the digest of the reference, no comparison is made, so that a repeated stage writes the same files.
    """
    if path is None or not path.exists():
        return NOT_COMPARED
    kept = read_record(DriftReference, path, RESTORE, RESTORE)
    if not kept.labels.characters:
        raise DataError(f"{path} cannot be read: labels.characters is empty", RESTORE)
    if kept.sha256 == sha256:
        return NOT_COMPARED
    if (kept.source, kept.split) != (data.addresses, data.split_names):
        return Comparison(None, f"not compared: the last accepted data came from {kept.source}, split {kept.split}")
    return Comparison(kept.labels, f"compared with the last accepted data, sha256 {kept.sha256[:12]}")


def table(labels: LabelStatistics, comparison: Comparison) -> "pd.DataFrame":
    """Return one row per measure: value, reference, and how much they differ; NaN if nothing is compared.

    `mix` is the total variation distance between the frequencies of the characters, 0 to 1. `change` is relative.
    """
    import pandas as pd

    before, nan = comparison.labels, float("nan")
    mix = _distance(labels.characters, before.characters) if before else nan
    rows: list[tuple[str, float, float, float, float]] = [(CHARACTERS, nan, nan, mix, nan)]
    for name in MEASURES:
        value = float(getattr(labels, name))
        reference = float(getattr(before, name)) if before else nan
        rows.append((name, value, reference, nan, _relative_change(value, reference) if before else nan))
    return pd.DataFrame(rows, columns=["measure", "value", "reference", "mix", "change"])


def _distance(now: dict[str, float], before: dict[str, float]) -> float:
    return round(sum(abs(now.get(key, 0) - before.get(key, 0)) for key in {*now, *before}) / 2, 4)


def _relative_change(now: float, before: float) -> float:
    if before <= 0:
        return 0.0 if now <= 0 else 1.0
    return round(abs(now / before - 1), 4)
