"""The files of a folder or a zip archive, by their names. Nothing is unpacked."""

import io
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import Self

from text_recognizer.core.errors import DataError
from text_recognizer.utils.archives import ARCHIVE_ERRORS, FIX, check_zip_limits

MAX_FILE_BYTES = 1 << 30  # of one file that is read into memory
ENCRYPTED = 1  # the flag of a zip member that needs a password


class FileTree(ABC):
    """Files by their names, with `/` between folders, sorted. Use it as a context manager."""

    def __init__(self, address: Path, names: Iterable[str]) -> None:
        self.address = address
        self.names = tuple(sorted(name for name in names if not _is_hidden(name)))
        self._known = frozenset(self.names)

    def __contains__(self, name: str) -> bool:
        return name in self._known

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @abstractmethod
    def read(self, name: str) -> bytes:
        """Return the bytes of a file. Raises DataError if it cannot be read."""

    @abstractmethod
    def label(self, name: str) -> str:
        """Return the name of a file in messages."""

    def close(self) -> None:  # noqa: B027 - a folder has nothing to close
        """Close the archive, if there is one."""

    def with_suffix(self, *suffixes: str) -> list[str]:
        """Return the names that end in one of `suffixes`, in any case."""
        return [name for name in self.names if name.lower().endswith(suffixes)]


class FolderTree(FileTree):
    """The files of a folder and of all folders in it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()))

    def read(self, name: str) -> bytes:
        """Return the bytes of a file. Raises DataError if it cannot be read."""
        path = self.address / name
        try:
            if path.stat().st_size > MAX_FILE_BYTES:
                raise DataError(f"{path} has more than {MAX_FILE_BYTES:,} bytes", "remove it, or split it")
            return path.read_bytes()
        except OSError as error:
            raise DataError(f"{path} cannot be read: {error.strerror}", "correct or remove the file") from None

    def label(self, name: str) -> str:
        """Return the path of a file."""
        return str(self.address / name)


class ZipTree(FileTree):
    """The files of a zip archive. Raises DataError if it is damaged, unsafe or protected by a password."""

    def __init__(self, path: Path) -> None:
        try:
            check_zip_limits(path)
            self._zip = zipfile.ZipFile(path)
        except ARCHIVE_ERRORS as error:
            raise DataError(f"{path} is not a complete zip archive: {error}", FIX) from None
        infos = [info for info in self._zip.infolist() if not info.is_dir()]
        if any(info.flag_bits & ENCRYPTED for info in infos):
            self._zip.close()
            raise DataError(f"{path} is encrypted", "unpack it with its password, and name the folder")
        super().__init__(path, (info.filename for info in infos))

    def read(self, name: str) -> bytes:
        """Return the bytes of a file. Raises DataError if it cannot be read."""
        try:
            if self._zip.getinfo(name).file_size > MAX_FILE_BYTES:
                raise DataError(f"{self.label(name)} has more than {MAX_FILE_BYTES:,} bytes", "remove it, or split it")
            return self._zip.read(name)
        except ARCHIVE_ERRORS as error:
            raise DataError(f"{self.label(name)} cannot be read: {error}", FIX) from None

    def label(self, name: str) -> str:
        """Return the path of the archive and the name of a file in it."""
        return f"{self.address}: {name}"

    def close(self) -> None:
        """Close the archive."""
        self._zip.close()


def open_tree(address: Path) -> FileTree:
    """Open a folder or a zip archive. Raises DataError if `address` is neither."""
    if address.is_dir():
        return FolderTree(address)
    if not address.is_file():
        raise DataError(f"{address} does not exist", "name a folder or a zip archive of pages")
    return ZipTree(address)


def text_of(data: bytes, label: str) -> str:
    """Decode UTF-8, with or without a byte-order mark, and make every line end a newline.

    Raises DataError if the bytes are not UTF-8.
    """
    try:
        return io.TextIOWrapper(io.BytesIO(data), encoding="utf-8-sig").read()
    except UnicodeDecodeError as error:
        raise DataError(f"{label} is not UTF-8, from byte {error.start} on", "save it as UTF-8") from None


def read_text(path: Path) -> str:
    """Return the text of a file, as `text_of`. Raises DataError if it cannot be read or is not UTF-8."""
    try:
        return text_of(path.read_bytes(), str(path))
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}", "correct or remove the file") from None


def _is_hidden(name: str) -> bool:
    """Return whether a file is hidden. macOS packs a hidden file beside each file into a zip."""
    return any(part.startswith(".") or part == "__MACOSX" for part in PurePosixPath(name).parts)
