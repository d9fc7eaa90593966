"""Reading tables, and writing files so that a kill leaves the old file or the new one, never half of either."""

import contextlib
import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from text_recognizer.errors import DataError, TextRecognizerError

CHUNK_BYTES = 1 << 20


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yields a temporary path beside `path`; moves what was written there into place if the block succeeds.

    Works for a file or for a folder that the block makes. On any exception, Ctrl-C included, nothing is left behind;
    what a SIGKILL leaves is cleared by the next run. One process at a time may replace a path.
    Raises TextRecognizerError where a file would take a folder's place.
    """
    scratch = path.parent / f".{path.name}.part"
    _clear(scratch, path)
    scratch.mkdir(parents=True)
    try:
        draft = scratch / path.name
        yield draft
        if path.is_dir():
            if draft.is_file():
                raise TextRecognizerError(f"{path} is a folder, not a file", "name a file, or move the folder away")
            path.replace(_old(scratch, path))
        draft.replace(path)
    finally:
        _clear(scratch, path)


def _clear(scratch: Path, path: Path) -> None:
    """Removes the scratch folder; an old folder that was moved there goes back where nothing has taken its place."""
    old = _old(scratch, path)
    if old.exists() and not path.exists():
        old.replace(path)
    shutil.rmtree(scratch, ignore_errors=True)


def _old(scratch: Path, path: Path) -> Path:
    return scratch / f"{path.name}.old"


def write_text(path: Path, text: str) -> None:
    with replacing(path) as draft:
        draft.write_text(text, encoding="utf-8")


def json_text(value: object) -> str:
    """Stable JSON: keys sorted, two-space indent, NaN refused, so that equal values give equal bytes."""
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def write_json(path: Path, value: object) -> None:
    write_text(path, json_text(value))


def read_table(path: Path, missing: str, again: str) -> dict[str, Any]:
    """The JSON object in a file. Raises DataError: its fix is `missing` where there is no file, else `again`."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"{path} does not exist", missing) from None
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path} cannot be read: {error}", again) from None
    if not isinstance(value, dict):
        raise DataError(f"{path} is not a table of figures", again)
    return value


def sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
