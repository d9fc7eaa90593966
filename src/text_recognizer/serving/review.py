"""List, accept and reject the corrections in a feedback folder.

A service that reviews keeps new corrections in the folder WAITING inside it, where the pipeline does not look.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from text_recognizer.core.errors import DataError
from text_recognizer.core.metrics import character_edits, error_rate
from text_recognizer.corpora import corrections
from text_recognizer.inference import Recognizer

WAITING = ".waiting"


@dataclass(frozen=True)
class ListedCorrection:
    """A correction: its name, who sent it and when, and how many lines it has. `waiting` means: not accepted yet.

    `source` is the name of the sender's token; empty, if the service had no tokens.
    """

    name: str
    waiting: bool
    made: str = ""
    source: str = ""
    lines: int = 0


def list_corrections(folder: Path) -> list[ListedCorrection]:
    """Return the corrections of a feedback folder: those that wait, then those that the pipeline takes."""
    waiting = [_listed(folder / WAITING, name, True) for name in corrections.list_ids(folder / WAITING)]
    return waiting + [_listed(folder, name, False) for name in _names(folder)]


def find(folder: Path, name: str) -> Path:
    """Return the folder that holds a correction. Raises DataError if there is none of this name."""
    for place in (folder, folder / WAITING):
        if name in corrections.list_ids(place):
            return place
    raise DataError(f"{folder} holds no correction {name}", "`text-recognizer feedback list` names them")


def accept(folder: Path, name: str) -> None:
    """Let the pipeline take a correction that waits. Raises DataError if none of this name waits."""
    if find(folder, name) == folder:
        raise DataError(f"{name} is accepted already", "nothing is to be done")
    corrections.read(folder / WAITING, name)
    # The JSON comes last: a picture alone is a correction that is not complete.
    for path in sorted(_files(folder / WAITING, name), key=lambda path: path.suffix == ".json"):
        path.replace(folder / path.name)


def delete(folder: Path, name: str) -> None:
    """Remove a correction, accepted or not. Raises DataError if there is none of this name."""
    # The picture comes last: without its JSON, it counts for nothing.
    for path in sorted(_files(find(folder, name), name), key=lambda path: path.suffix != ".json"):
        path.unlink()


def source_of(folder: Path, name: str) -> str:
    """Return the name of the token that a correction was sent with; empty, if there was none."""
    try:
        content = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return ""
    return str(content.get("source") or "") if isinstance(content, dict) else ""


def difference(correction: corrections.Correction, recognizer: Recognizer) -> float:
    """Return the CER of what the reader reads on the page, with the correction as the reference.

    Most corrections change little. Invented text, or that of another page, differs in most characters.
    """
    read = recognizer.read(correction.picture).text
    return error_rate([character_edits(correction.form.text, read)])


def _names(folder: Path) -> Sequence[str]:
    return [name for name in corrections.list_ids(folder) if (folder / f"{name}.json").is_file()]


def _files(folder: Path, name: str) -> list[Path]:
    return [path for path in folder.glob(f"{name}.*") if path.stem == name and path.is_file()]


def _listed(folder: Path, name: str, waiting: bool) -> ListedCorrection:
    try:
        found = corrections.read(folder, name)
    except DataError:
        return ListedCorrection(name, waiting, source=source_of(folder, name))
    return ListedCorrection(name, waiting, found.made, source_of(folder, name), len(found.form.lines))
