"""Read JSON files, and write files so that a kill leaves the old file or the new one, never half of either."""

import contextlib
import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from text_recognizer.core.errors import DataError, TextRecognizerError

CHUNK_BYTES = 1 << 20


@contextlib.contextmanager
def replace_atomically(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`, and move what was written there into place if the block succeeds.

    The block may write a file or make a folder. After an exception, Ctrl-C included, nothing is left behind. What a
    SIGKILL leaves is removed by the next call. Only one process at a time may replace a path.

    Raises:
        TextRecognizerError: a file would replace a folder.
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
    """Remove the scratch folder. If it holds the old folder and nothing has replaced that, move it back first."""
    old = _old(scratch, path)
    if old.exists() and not path.exists():
        old.replace(path)
    shutil.rmtree(scratch, ignore_errors=True)


def _old(scratch: Path, path: Path) -> Path:
    return scratch / f"{path.name}.old"


def write_text(path: Path, text: str) -> None:
    """Write a text file atomically, as UTF-8."""
    with replace_atomically(path) as draft:
        draft.write_text(text, encoding="utf-8")


def json_text(value: object) -> str:
    """Return stable JSON: keys sorted, indented by two spaces, NaN refused, so that equal values give equal bytes."""
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def write_json(path: Path, value: object) -> None:
    """Write a value as JSON, atomically; see `json_text`."""
    write_text(path, json_text(value))


def read_json_object(path: Path, missing_fix: str, damaged_fix: str) -> dict[str, Any]:
    """Read the JSON object of a file.

    Raises DataError; its fix is `missing_fix` if the file does not exist, else `damaged_fix`.
    """
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"{path} does not exist", missing_fix) from None
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path} cannot be read: {error}", damaged_fix) from None
    if not isinstance(value, dict):
        raise DataError(f"{path} does not hold a JSON object", damaged_fix)
    return value


def json_digest(value: object) -> str:
    """Return the SHA-256 digest of a JSON value, in hexadecimal. The order of the keys does not matter."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def sha256(path: Path) -> str:
    """Return the SHA-256 digest of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
