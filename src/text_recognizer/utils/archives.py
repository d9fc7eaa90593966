"""Read archives and folders from untrusted sources, member by member, under limits; see docs/adr/0001.

Refused are names that leave the folder, links and devices, and more bytes than IAM can have. A member is refused before
it is read: zipfile and tarfile return no more of a member than its header claims.
"""

import lzma
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from text_recognizer.core.errors import DataError
from text_recognizer.utils.files import CHUNK_BYTES

MAX_BYTES = 20 << 30  # of all members; the forms and labels of IAM have 5 GB
MAX_MEMBERS = 200_000  # IAM has 1,539 forms, and 115,000 words if those are packed too
MAX_RATIO = 200  # of the members' bytes to those of the archive; XML is compressed 20 to 1
TAR_SUFFIXES = (".tar", ".tgz", ".tar.gz")
FIX = "get a clean archive"
# All that zipfile raises for damage. A changed byte can stand for another version, method, password or encoding.
ARCHIVE_ERRORS = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError, RuntimeError, ValueError)
ZIP_OR_TAR_ERRORS = (*ARCHIVE_ERRORS, tarfile.TarError)


class Member(NamedTuple):
    """A file of an archive or a folder: the archive or folder, its name in there, and its bytes."""

    part: Path
    name: str
    stream: IO[bytes]

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes in order. Raises DataError if the archive is damaged."""
        try:
            while chunk := self.stream.read(CHUNK_BYTES):
                yield chunk
        except ZIP_OR_TAR_ERRORS as error:
            raise _damaged(self.part, error) from None


def members(part: Path) -> Iterator[Member]:
    """Yield every file of a zip, of a tar, or of a folder of such and of loose files, always in the same order.

    Raises DataError if an archive is damaged or unsafe.
    """
    if part.is_dir():
        for path in sorted(part.rglob("*")):
            if path.is_symlink():
                raise DataError(f"{path} is a link", "put the file itself in its place")
            if path.is_file():
                yield from _opened(part, path)
    else:
        yield from _archived(part)


def _opened(folder: Path, path: Path) -> Iterator[Member]:
    if path.name.lower().endswith((".zip", *TAR_SUFFIXES)):
        yield from _archived(path)
    else:
        with path.open("rb") as stream:
            yield Member(folder, path.relative_to(folder).as_posix(), stream)


def _archived(path: Path) -> Iterator[Member]:
    """Yield the files of an archive, under its limits."""
    limits = _Limits(path)
    try:
        reader = _zipped if zipfile.is_zipfile(path) else _tarred
        for name, size, stream in reader(path):
            limits.count(name, size)
            yield Member(path, name, stream)
    except ZIP_OR_TAR_ERRORS as error:
        raise _damaged(path, error) from None


def _damaged(path: Path, error: Exception) -> DataError:
    return DataError(f"{path.name} is damaged, or is not an archive: {' '.join(str(error).split())}", "fetch it again")


def _zipped(path: Path) -> Iterator[tuple[str, int, IO[bytes]]]:
    with zipfile.ZipFile(path) as archive:
        for info in sorted(archive.infolist(), key=lambda info: info.filename):
            check_zip_member(path, info)
            if not info.is_dir():
                with archive.open(info) as stream:
                    yield info.filename, info.file_size, stream


def check_zip_member(path: Path, info: zipfile.ZipInfo) -> None:
    """Raise DataError if a member is a link or a device, or its name leaves the folder."""
    check_name(path, info.filename)
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise DataError(f"{path.name}: {info.filename} is a link or a device, not a file", FIX)


def _tarred(path: Path) -> Iterator[tuple[str, int, IO[bytes]]]:
    # Without unpacking it, a tar can only be read from front to back. Those of IAM are in order.
    with ExitStack() as stack:
        archive = stack.enter_context(tarfile.open(path, "r:*"))
        for info in archive:
            check_name(path, info.name)
            if info.isdir():
                continue
            stream = archive.extractfile(info) if info.isreg() else None
            if stream is None:
                raise DataError(f"{path.name}: {info.name} is a link or a device, not a file", FIX)
            yield info.name, info.size, stream


def check_name(path: Path, name: str) -> None:
    """Raise DataError if a member would be unpacked to a path outside the folder of its archive."""
    pure = PurePosixPath(name.replace("\\", "/"))
    if pure.is_absolute() or ".." in pure.parts or re.match("[A-Za-z]:", name):
        raise DataError(f"{path.name}: {name!r} leaves its folder", FIX)


class _Limits:
    """Count the members and bytes of an archive, and refuse too many."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.members = self.bytes = 0
        self.max_bytes = min(MAX_BYTES, max(MAX_RATIO * path.stat().st_size, 1 << 20))

    def count(self, name: str, size: int) -> None:
        """Count a member. Raises DataError if it is one too many, or too large."""
        self.members += 1
        self.bytes += size
        if self.members > MAX_MEMBERS:
            raise DataError(f"{self.path.name} has more than {MAX_MEMBERS:,} files, from {name} on", FIX)
        if self.bytes > self.max_bytes:
            raise DataError(
                f"{self.path.name} unpacks to more than {self.max_bytes:,} bytes, from {self.path.stat().st_size:,}",
                FIX,
            )


def check_zip_limits(path: Path) -> None:
    """Raise DataError if a zip has too many members or bytes, or a member that is not a plain file."""
    with zipfile.ZipFile(path) as archive:
        limits = _Limits(path)
        for info in archive.infolist():
            check_zip_member(path, info)
            limits.count(info.filename, info.file_size)
