"""Read the JSON files of this project as typed records."""

from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from text_recognizer.core.errors import DataError
from text_recognizer.core.schemas import Record
from text_recognizer.utils.files import read_json_object

Kind = TypeVar("Kind", bound=Record)


def read_record(kind: type[Kind], path: Path, missing_fix: str, damaged_fix: str) -> Kind:
    """Read the record of a JSON file.

    Raises DataError, which names the first wrong key; its fix is `missing_fix` if the file does not exist, else
    `damaged_fix`.
    """
    table = read_json_object(path, missing_fix, damaged_fix)
    try:
        return kind.model_validate(table)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise DataError(f"{path} cannot be read: {key}: {first['msg']}", damaged_fix) from None
