"""Pictures of single lines, or of pages, with a table of their texts: CSV, TSV or JSON Lines.

This is the common layout of HTR data sets, and that of `imagefolder` of Hugging Face's `datasets`.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from posixpath import normpath
from typing import ClassVar, Self

from text_recognizer.core.charset import NEWLINE
from text_recognizer.core.errors import DataError
from text_recognizer.corpora.corpus_base import FilesCorpus, Format, require_known
from text_recognizer.corpora.file_trees import FileTree, FolderTree, text_of
from text_recognizer.corpora.page_lists import without_suffix
from text_recognizer.corpora.picture_search import tree_picture
from text_recognizer.corpora.transcribed_pages import PagePicture, TranscribedPage, labelled_lines

TABLE_SUFFIXES = (".csv", ".tsv", ".jsonl")
FILE_COLUMNS = ("file_name", "filename", "file", "image", "image_path", "path", "picture")
TEXT_COLUMNS = ("text", "transcription", "transcript", "ground_truth", "label", "sentence")
GROUP_COLUMNS = ("writer", "writer_id", "author", "document", "group")
SPLIT_COLUMNS = ("split", "part", "subset")
PART_NAMES = {
    "train": "train", "training": "train",
    "validation": "validation", "valid": "validation", "val": "validation", "dev": "validation", "eval": "validation",
    "test": "test", "testing": "test",
}  # fmt: skip
REPAIR = "correct that line of the table"


@dataclass(frozen=True)
class TableRow:
    """A row: the name of its picture, its text, its group, and the part of the split, which may be empty."""

    picture: str
    text: str
    group: str
    part: str


class LineTableCorpus(FilesCorpus):
    """The pictures that the tables of an archive name. A text of several lines is that of a page."""

    format: ClassVar[Format] = "lines"

    def __init__(self, files: FileTree, tables: Sequence[str]) -> None:
        """Read the tables. Raises DataError if one is damaged, or names a picture twice."""
        super().__init__(files)
        self._rows: dict[str, TableRow] = {}
        for table in tables:
            for row in _rows(files, table):
                page_id = without_suffix(row.picture)
                if page_id in self._rows:
                    raise DataError(f"{files.label(table)} names {row.picture} twice", "remove one of its lines")
                self._rows[page_id] = row
        if not self._rows:
            raise DataError(f"{files.label(tables[0])} has no rows", "name a table with file_name and text")

    @classmethod
    def of_file(cls, table: Path) -> Self:
        """Open a table. Raises DataError if it is none."""
        files = FolderTree(table.parent)
        if not _is_table(files, table.name):
            raise DataError(f"{table} is no table with file_name and text", "name a folder, a zip or a table")
        corpus = cls(files, [table.name])
        corpus.address = table
        return corpus

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of all pictures: their names without suffixes."""
        return tuple(self._rows)

    def page(self, page_id: str) -> TranscribedPage:
        """Return the page or the line of a picture. Raises DataError if the picture or its text is missing."""
        require_known(page_id, self._rows, self.address)
        row = self._rows[page_id]
        if row.picture not in self._files:
            raise DataError(f"{self._files.label(row.picture)} does not exist", "add the picture or remove its line")
        return table_page(page_id, row, tree_picture(self._files, row.picture))

    def own_parts(self) -> dict[str, tuple[str, ...]]:
        """Return the ids in each part: by a column of the table, else by the name of a table or a folder."""
        return parts_of(self._rows)


def table_page(page_id: str, row: TableRow, picture: PagePicture) -> TranscribedPage:
    """Return the page of a row. Raises DataError if its text is empty."""
    lines = labelled_lines(row.text)
    if not lines:
        raise DataError(f"{picture.label} has an empty text", REPAIR)
    return TranscribedPage(page_id, row.group or page_id, picture, lines, shows_one_line=len(lines) == 1)


def parts_of(rows: Mapping[str, TableRow]) -> dict[str, tuple[str, ...]]:
    """Return the ids in each part that rows name; nothing if some row names none."""
    if not all(row.part for row in rows.values()):
        return {}
    names = dict.fromkeys(row.part for row in rows.values())
    return {part: tuple(page_id for page_id, row in rows.items() if row.part == part) for part in names}


def find_tables(files: FileTree) -> list[str]:
    """Return the tables of an archive whose columns include the name of a picture and a text."""
    return [name for name in files.with_suffix(*TABLE_SUFFIXES) if _is_table(files, name)]


def value_of(row: Mapping[str, object], columns: Sequence[str]) -> str:
    """Return the value of the first of several columns that a row has; nothing if it has none."""
    return next((str(row[column]) for column in columns if row.get(column) is not None), "")


def part_of(row: Mapping[str, object], name: str) -> str:
    """Return the part of a row: by its column, else by a folder of `name` or its own name, such as `train.csv`."""
    path = PurePosixPath(name)
    stem = path.stem.partition("-")[0]  # train-00000-of-00001.parquet
    candidates = (value_of(row, SPLIT_COLUMNS), stem, *reversed(path.parent.parts))
    return next((PART_NAMES[one.lower()] for one in candidates if one.lower() in PART_NAMES), "")


def _is_table(files: FileTree, name: str) -> bool:
    try:
        _, row = next(_records(files, name))
    except (DataError, StopIteration):
        return False
    return bool(value_of(row, FILE_COLUMNS)) and any(column in row for column in TEXT_COLUMNS)


def _rows(files: FileTree, name: str) -> Iterator[TableRow]:
    """Yield the rows of a table; its pictures are named relative to its folder."""
    folder = PurePosixPath(name).parent.as_posix()
    for number, row in _records(files, name):
        file, text = value_of(row, FILE_COLUMNS), value_of(row, TEXT_COLUMNS)
        if not file:
            raise DataError(f"{files.label(name)}, line {number}, names no picture", REPAIR)
        picture = normpath(f"{folder}/{file}".replace("\\", "/"))
        part = part_of(row, name) or part_of({}, picture)
        yield TableRow(picture, text, value_of(row, GROUP_COLUMNS), part)


def _records(files: FileTree, name: str) -> Iterator[tuple[int, dict[str, object]]]:
    """Yield the number of each line of a table and its values by column. Raises DataError if it is damaged."""
    label = files.label(name)
    text = text_of(files.read(name), label)
    if name.lower().endswith(".jsonl"):
        yield from _json_records(text, label)
        return
    reader = csv.DictReader(io.StringIO(text), delimiter="\t" if name.lower().endswith(".tsv") else ",")
    try:
        for row in reader:
            if None in row or None in row.values():
                raise DataError(f"{label}, line {reader.line_num}, has another number of values", REPAIR)
            yield reader.line_num, {key.strip().lower(): value for key, value in row.items()}
    except csv.Error as error:
        raise DataError(f"{label}, line {reader.line_num}: {error}", REPAIR) from None


def _json_records(text: str, label: str) -> Iterator[tuple[int, dict[str, object]]]:
    for number, line in enumerate(text.split(NEWLINE), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict):
            raise DataError(f"{label}, line {number}, is not a JSON object", REPAIR)
        yield number, row
