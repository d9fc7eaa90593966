"""The error rate of whole pages, by which readers of any kind are compared.

White space is collapsed on both sides, so that line breaks do not count. The edits of a file (Levenshtein 1966) are
capped at the length of its text: a reader that finds nothing has an error rate of 1, and none has more. The rate is the
sum of the edits over the sum of the lengths, over the files that have text. On files without text there is no rate;
the characters that were read there are counted as invented.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from text_recognizer.core.metrics import Edits, bootstrap_interval, character_edits, error_rate

RESAMPLES, LEVEL, SEED = 2000, 0.95, 1


@dataclass(frozen=True)
class FileScore:
    """The score of one file: the edits and the length of its text in characters, and the characters invented.

    `edits` is 0 for a file without text, and `invented` is 0 for a file with text.
    """

    name: str
    kind: str
    characters: int
    edits: int
    invented: int


@dataclass(frozen=True)
class Summary:
    """The error rate of several files and its 95 % interval over files, both None if no file has text.

    `inventing` is how many of the `empty` files without text have any invented characters.
    """

    files: int
    characters: int
    cer: float | None
    interval: tuple[float, float] | None
    empty: int
    inventing: int
    invented: int


def collapse(text: str) -> str:
    """Return the text with each run of white space as one space, and none at the ends."""
    return " ".join(text.split())


def score_file(name: str, kind: str, truth: str, read: str) -> FileScore:
    """Score what was `read` from a file whose text is `truth`, empty if it has none."""
    truth, read = collapse(truth), collapse(read)
    if not truth:
        return FileScore(name, kind, 0, 0, len(read))
    return FileScore(name, kind, len(truth), min(character_edits(truth, read).edits, len(truth)), 0)


def summarise_files(scores: Sequence[FileScore]) -> Summary:
    """Return the error rate of the files that have text, and count what was invented on the others."""
    rows = [Edits(one.edits, one.characters) for one in scores if one.characters]
    names = [one.name for one in scores if one.characters]
    empty = [one for one in scores if not one.characters]
    return Summary(
        files=len(rows),
        characters=sum(row.length for row in rows),
        cer=error_rate(rows) if rows else None,
        interval=bootstrap_interval(rows, names, RESAMPLES, LEVEL, SEED) if rows else None,
        empty=len(empty),
        inventing=sum(one.invented > 0 for one in empty),
        invented=sum(one.invented for one in empty),
    )


def summarise_kinds(scores: Sequence[FileScore]) -> dict[str, Summary]:
    """Return the summary of each kind of file, sorted by name; nothing if the files have no kinds."""
    kinds = sorted({one.kind for one in scores} - {""})
    return {kind: summarise_files([one for one in scores if one.kind == kind]) for kind in kinds}
