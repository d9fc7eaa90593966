"""Pack pages in the formats people have, with their texts, as one zip: a folder, a tar, a table or a Parquet file."""

import zipfile
from collections.abc import Iterator
from pathlib import Path

from text_recognizer.core.data_params import SourceEntry
from text_recognizer.core.errors import DataError
from text_recognizer.corpora.file_trees import FolderTree
from text_recognizer.corpora.line_tables import TABLE_SUFFIXES
from text_recognizer.utils.archives import TAR_SUFFIXES, members

PARQUET_SUFFIX = ".parquet"
PICTURES = "pictures"  # the folder of the zip for pictures that lie elsewhere


def pack_pages(path: Path, entry: SourceEntry, out: Path) -> Path:
    """Write the files of a folder, a tar, a table with its pictures or a Parquet file to the zip `out`, and return it.

    Hidden files are left out. The same files give the same bytes. Raises DataError if `path` is nothing of these.
    """
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in _files(path):
            _add(archive, name, content)
        for name, content in _folder(Path(entry.pictures)) if entry.pictures else ():
            _add(archive, f"{PICTURES}/{name}", content)
    return out


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    info = zipfile.ZipInfo(name)  # dated 1980, so that the bytes do not depend on the time
    info.external_attr = 0o644 << 16
    archive.writestr(info, content)


def _files(path: Path) -> Iterator[tuple[str, bytes]]:
    name = path.name.lower()
    if path.is_dir():
        yield from _folder(path)
    elif name.endswith(PARQUET_SUFFIX):
        yield path.name, path.read_bytes()
    elif name.endswith(TABLE_SUFFIXES):
        for other, content in _folder(path.parent):
            if other == path.name or not other.lower().endswith(TABLE_SUFFIXES):
                yield other, content
    elif name.endswith(TAR_SUFFIXES):
        yield from ((member.name, b"".join(member.chunks())) for member in members(path))
    else:
        raise DataError(
            f"{path} is no folder, zip, tar, table or Parquet file", "name one of these as the address of the source"
        )


def _folder(folder: Path) -> Iterator[tuple[str, bytes]]:
    if not folder.is_dir():
        raise DataError(f"{folder} does not exist", "name the folder with the pictures")
    files = FolderTree(folder)
    yield from ((name, files.read(name)) for name in files.names)
