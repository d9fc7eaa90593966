"""The error rate of whole pages, by which readers of any kind are compared.

White space is collapsed on both sides, so that line breaks do not count. The edits of a file (Levenshtein 1966) are
capped at the length of its text: a reader that finds nothing has an error rate of 1, and none has more. The rate is the
sum of the edits over the sum of the lengths, over the files that have text. On files without text there is no rate;
the characters that were read there are counted as invented.

The same rate is given for lines in any order: the difference is what the reading order costs. The order itself is
measured by Spearman's footrule and Kendall's tau distance. `core/order_metrics.py` defines all of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from text_recognizer.core.metrics import Edits, bootstrap_interval, error_rate
from text_recognizer.core.order_metrics import compare_order

RESAMPLES, LEVEL, SEED = 2000, 0.95, 1


@dataclass(frozen=True)
class FileScore:
    """The score of one file: the edits and the length of its text in characters, and the characters invented.

    `edits` is 0 for a file without text, and `invented` is 0 for a file with text. `edits_any_order` is the number of
    edits if the lines may be read in any order. `footrule` and `kendall` are the distances of the order of the lines
    from the true one, both None if fewer than two of them were read.
    """

    name: str
    kind: str
    characters: int
    edits: int
    invented: int
    edits_any_order: int = 0
    footrule: float | None = None
    kendall: float | None = None


@dataclass(frozen=True)
class Summary:
    """The error rate of several files and its 95 % interval over files, both None if no file has text.

    `cer_any_order` is the error rate if the lines may be read in any order. `footrule` and `kendall` are means over the
    files whose order is known; None if there are none. `inventing` is how many of the `empty` files without text have
    any invented characters.
    """

    files: int
    characters: int
    cer: float | None
    interval: tuple[float, float] | None
    empty: int
    inventing: int
    invented: int
    cer_any_order: float | None = None
    footrule: float | None = None
    kendall: float | None = None


def collapse(text: str) -> str:
    """Return the text with each run of white space as one space, and none at the ends."""
    return " ".join(text.split())


def score_file(name: str, kind: str, truth: str, read: str) -> FileScore:
    """Score what was `read` from a file whose text is `truth`, empty if it has none."""
    length = len(collapse(truth))
    if not length:
        return FileScore(name, kind, 0, 0, len(collapse(read)))
    order = compare_order(truth.splitlines(), read.splitlines())
    known = order.matched > 1
    return FileScore(
        name,
        kind,
        characters=length,
        edits=min(order.edits, length),
        invented=0,
        edits_any_order=min(order.edits_any_order, length),
        footrule=order.footrule if known else None,
        kendall=order.kendall if known else None,
    )


def summarise_files(scores: Sequence[FileScore]) -> Summary:
    """Return the error rate of the files that have text, and count what was invented on the others."""
    written = [one for one in scores if one.characters]
    rows = [Edits(one.edits, one.characters) for one in written]
    any_order = [Edits(one.edits_any_order, one.characters) for one in written]
    names = [one.name for one in written]
    empty = [one for one in scores if not one.characters]
    return Summary(
        files=len(rows),
        characters=sum(row.length for row in rows),
        cer=error_rate(rows) if rows else None,
        interval=bootstrap_interval(rows, names, RESAMPLES, LEVEL, SEED) if rows else None,
        empty=len(empty),
        inventing=sum(one.invented > 0 for one in empty),
        invented=sum(one.invented for one in empty),
        cer_any_order=error_rate(any_order) if rows else None,
        footrule=_mean([one.footrule for one in written]),
        kendall=_mean([one.kendall for one in written]),
    )


def _mean(values: Sequence[float | None]) -> float | None:
    """Return the mean of the values that are known."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def summarise_kinds(scores: Sequence[FileScore]) -> dict[str, Summary]:
    """Return the summary of each kind of file, sorted by name; nothing if the files have no kinds."""
    kinds = sorted({one.kind for one in scores} - {""})
    return {kind: summarise_files([one for one in scores if one.kind == kind]) for kind in kinds}
