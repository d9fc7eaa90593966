"""What was left out of an archive of found lines: a list in the archive, and a small picture of each page concerned."""

import json
import zipfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from text_recognizer.core.errors import DataError
from text_recognizer.utils.archives import ARCHIVE_ERRORS

LIST_FILE = "left_out.jsonl"
PICTURES = "left_out"


@dataclass(frozen=True)
class LeftOutLine:
    """A line of a page that is left out, or the whole page if `text` is None, and why.

    `picture` is the name of a small JPEG of the page in the archive; empty if the page has none.
    """

    page: str
    part: str
    text: str | None
    reason: str
    picture: str = ""


def list_as_bytes(rows: Iterable[LeftOutLine]) -> bytes:
    """Return the list as JSON, a row a line."""
    return "".join(f"{json.dumps(asdict(row), ensure_ascii=False)}\n" for row in rows).encode()


def read_left_out(archive: Path) -> tuple[LeftOutLine, ...]:
    """Return the list of an archive; nothing if it has none. Raises DataError if the archive is damaged."""
    try:
        with zipfile.ZipFile(archive) as members:
            text = members.read(LIST_FILE).decode() if LIST_FILE in members.namelist() else ""
        return tuple(LeftOutLine(**json.loads(row)) for row in text.split("\n") if row)
    except (*ARCHIVE_ERRORS, TypeError) as error:
        raise DataError(f"{archive} cannot be read: {error}", "run `text-recognizer find-lines` again") from None
