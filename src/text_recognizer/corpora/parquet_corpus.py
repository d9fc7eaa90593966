"""Parquet files with pictures and their texts, as Hugging Face's `datasets` writes them."""

import importlib
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import Any, ClassVar, Self

from text_recognizer.core.errors import DataError, MissingExtraError
from text_recognizer.corpora.corpus_base import FilesCorpus, Format, require_known
from text_recognizer.corpora.file_trees import FileTree, FolderTree
from text_recognizer.corpora.line_tables import (
    FILE_COLUMNS,
    GROUP_COLUMNS,
    TEXT_COLUMNS,
    TableRow,
    part_of,
    parts_of,
    table_page,
    value_of,
)
from text_recognizer.corpora.page_lists import without_suffix
from text_recognizer.corpora.transcribed_pages import PagePicture, TranscribedPage

SIMPLE = ("string", "large_string", "int", "uint", "bool")  # the types of columns that are no pictures
PICTURE_COLUMNS = ("image", "picture", "img")


class ParquetCorpus(FilesCorpus):
    """The rows of Parquet files: a column with the bytes of pictures, and one with texts.

    The texts are held in memory. The pictures are read from the file when they are opened.
    """

    format: ClassVar[Format] = "parquet"

    def __init__(self, files: FileTree, names: Sequence[str]) -> None:
        """Read the texts. Raises DataError if a file is damaged or has no such columns."""
        super().__init__(files)
        self._rows: dict[str, TableRow] = {}
        self._pictures: dict[str, tuple[_ParquetFile, int]] = {}
        for name in names:
            self._add(_ParquetFile(files, name), name)

    @classmethod
    def of_file(cls, path: Path) -> Self:
        """Open a Parquet file. Raises DataError if it is none."""
        corpus = cls(FolderTree(path.parent), [path.name])
        corpus.address = path
        return corpus

    def _add(self, file: "_ParquetFile", name: str) -> None:
        for number, row in enumerate(file.texts()):
            given = without_suffix(value_of(row, FILE_COLUMNS))
            page_id = given if given and given not in self._rows else f"{PurePosixPath(name).stem}-{number:06}"
            part, group = part_of(row, name), value_of(row, GROUP_COLUMNS)
            self._rows[page_id] = TableRow(page_id, value_of(row, TEXT_COLUMNS), group, part)
            self._pictures[page_id] = file, number

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of all rows: the names of their files, else the name of the Parquet file and a number."""
        return tuple(self._rows)

    def page(self, page_id: str) -> TranscribedPage:
        """Return the page or the line of a row. Raises DataError if its text is empty."""
        require_known(page_id, self._rows, self.address)
        file, number = self._pictures[page_id]
        picture = PagePicture(page_id, f"{file.label}: {page_id}", lambda: file.picture(number))
        return table_page(page_id, self._rows[page_id], picture)

    def own_parts(self) -> dict[str, tuple[str, ...]]:
        """Return the ids in each part: by a column, else by the name of the file, such as train-00000.parquet."""
        return parts_of(self._rows)


class _ParquetFile:
    """A Parquet file with a column of pictures and a column of texts."""

    def __init__(self, files: FileTree, name: str) -> None:
        self.label = files.label(name)
        parquet = _pyarrow_parquet()
        try:
            source = files.address / name if isinstance(files, FolderTree) else BytesIO(files.read(name))
            self._file = parquet.ParquetFile(source)
            columns = self._file.schema_arrow.names
        except (ValueError, OSError) as error:  # pyarrow's errors are subclasses
            raise DataError(f"{self.label} is not a readable Parquet file: {error}", "fetch it again") from None
        pictures = [column for column in columns if column.lower() in PICTURE_COLUMNS]
        kinds = {column: str(self._file.schema_arrow.field(column).type) for column in columns}
        self._texts = [column for column in columns if column not in pictures and kinds[column].startswith(SIMPLE)]
        if not pictures or not any(column.lower() in TEXT_COLUMNS for column in self._texts):
            raise DataError(f"{self.label} has no columns image and text, but {', '.join(columns)}", "rename them")
        self._column = pictures[0]

    def texts(self) -> list[dict[str, Any]]:
        """Return the values of all rows but their pictures."""
        rows = self._file.read(columns=self._texts).to_pylist()
        return [{str(key).lower(): value for key, value in row.items()} for row in rows]

    def picture(self, number: int) -> bytes:
        """Return the bytes of the picture of a row. Raises DataError if it has none."""
        for group in range(self._file.num_row_groups):
            count = self._file.metadata.row_group(group).num_rows
            if number < count:
                value = self._file.read_row_group(group, columns=[self._column])[self._column][number].as_py()
                found = value.get("bytes") if isinstance(value, dict) else value
                if isinstance(found, bytes):
                    return found
                break
            number -= count
        raise DataError(f"{self.label} holds no bytes of a picture in a row", "save the data set with its pictures")


def _pyarrow_parquet() -> ModuleType:
    """Import pyarrow's Parquet. Raises MissingExtraError if it is not installed."""
    try:
        return importlib.import_module("pyarrow.parquet")
    except ModuleNotFoundError:
        what = "reading Parquet files needs pyarrow, which is not installed"
        raise MissingExtraError(what, "pip install 'text-recognizer[parquet]'") from None
