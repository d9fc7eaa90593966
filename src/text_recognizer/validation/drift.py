"""How far the labels have moved from those of the last accepted data: a changed export shows here before it is learnt.

The reference is a small JSON file, written when a validation passes. Data from another source are not compared.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from text_recognizer.config import DataSection
from text_recognizer.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

FORMAT = 1
ALONE = "not compared: no other data have been accepted yet"
MIX = "characters"
MEASURES = ("capitals", "spaces", "line_length", "lines_a_form")


@dataclass(frozen=True)
class Reference:
    """`labels` is what `describe` said of the last accepted data, None where nothing is compared; `why` says which."""

    labels: dict[str, Any] | None
    why: str


NOTHING = Reference(None, ALONE)


def describe(texts: Sequence[str], forms: int) -> dict[str, Any]:
    """The share of each character, of capitals and of spaces; characters a line; lines a form."""
    counts = Counter("".join(texts))
    total = max(1, sum(counts.values()))
    return {
        MIX: {character: round(count / total, 6) for character, count in sorted(counts.items())},
        "capitals": round(sum(count for character, count in counts.items() if character.isupper()) / total, 6),
        "spaces": round(counts[" "] / total, 6),
        "line_length": round(total / max(1, len(texts)), 3),
        "lines_a_form": round(len(texts) / max(1, forms), 3),
    }


def as_reference(labels: dict[str, Any], data: DataSection, sha256: str) -> dict[str, Any]:
    """What is kept of accepted data."""
    return {"format": FORMAT, "source": data.source, "split": data.split, "sha256": sha256, "labels": labels}


def open_reference(path: Path | None, data: DataSection, sha256: str) -> Reference:
    """What to compare data of that digest with. Raises DataError where the file is damaged.

    To the same data again the same is said as the first time, so that a repeated stage leaves the same files.
    """
    if path is None:
        return NOTHING
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        if kept["format"] != FORMAT:
            raise ValueError(f"format {kept['format']}")
        source, split, labels = kept["source"], kept["split"], kept["labels"]
        if not isinstance(kept["sha256"], str):
            raise ValueError("its digest is no text")
        if not all(isinstance(labels[name], int | float) for name in MEASURES) or not labels[MIX]:
            raise ValueError("its labels are no figures")
    except FileNotFoundError:
        return NOTHING
    except (OSError, ValueError, KeyError, TypeError) as error:
        what = f"{path} cannot be read: {' '.join(str(error).split())}"
        raise DataError(what, "restore it from git, or remove it to accept what comes next") from None
    if kept["sha256"] == sha256:
        return NOTHING
    if (source, split) != (data.source, data.split):
        return Reference(None, f"not compared: the last accepted data came from {source}, split {split}")
    return Reference(labels, f"compared with the last accepted data, sha256 {kept['sha256'][:12]}")


def table(labels: dict[str, Any], reference: Reference) -> "pd.DataFrame":
    """One row a measure: its value, the reference's, and how far apart they are; NaN where nothing is compared.

    `mix` is the total variation distance between the frequencies of characters, 0 to 1. `change` is relative.
    """
    import pandas as pd

    before, nan = reference.labels, float("nan")
    rows = [(MIX, nan, nan, _distance(labels[MIX], before[MIX]) if before else nan, nan)]
    for name in MEASURES:
        change = _change(labels[name], before[name]) if before else nan
        rows.append((name, labels[name], before[name] if before else nan, nan, change))
    return pd.DataFrame(rows, columns=["measure", "value", "reference", "mix", "change"])


def _distance(now: dict[str, float], before: dict[str, float]) -> float:
    return round(sum(abs(now.get(key, 0) - before.get(key, 0)) for key in {*now, *before}) / 2, 4)


def _change(now: float, before: float) -> float:
    if before <= 0:
        return 0.0 if now <= 0 else 1.0
    return round(abs(now / before - 1), 4)
