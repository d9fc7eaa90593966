"""Other people's archives and folders, member by member, under limits; see docs/adr/0001.

A name that leaves the folder, a link or a device, and more bytes than IAM can have are refused, before any of it is
read: zipfile and tarfile give no more of a member than it claims to have.
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

from text_recognizer.errors import DataError
from text_recognizer.files import CHUNK_BYTES

MOST_BYTES = 20 << 30  # of all members: IAM's forms and labels are 5 GB
MOST_MEMBERS = 200_000  # IAM has 1,539 forms, and 115,000 words if somebody packs those too
MOST_SWELL = 200  # times the size of its archive that the members may have together; XML packs 20 to 1
TARS = (".tar", ".tgz", ".tar.gz")
CLEAN = "get a clean archive"
# All that zipfile raises for damage: a changed byte can ask for another version, method, password or character set.
DAMAGE = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError, RuntimeError, ValueError)
ANSWERS = (*DAMAGE, tarfile.TarError)


class Member(NamedTuple):
    """A file of an archive or a folder: where it comes from, its name there, and its bytes."""

    part: Path
    name: str
    stream: IO[bytes]

    def chunks(self) -> Iterator[bytes]:
        """Its bytes in order. Raises DataError where the archive is damaged."""
        try:
            while chunk := self.stream.read(CHUNK_BYTES):
                yield chunk
        except ANSWERS as error:
            raise _damaged(self.part, error) from None


def members(part: Path) -> Iterator[Member]:
    """Every file of a zip, a tar, or a folder of such and of loose files, in an order that is always the same."""
    if part.is_dir():
        for path in sorted(part.rglob("*")):
            if path.is_symlink():
                raise DataError(f"{path} is a link", "put the file itself there")
            if path.is_file():
                yield from _opened(part, path)
    else:
        yield from _archived(part)


def _opened(folder: Path, path: Path) -> Iterator[Member]:
    if path.name.lower().endswith((".zip", *TARS)):
        yield from _archived(path)
    else:
        with path.open("rb") as stream:
            yield Member(folder, path.relative_to(folder).as_posix(), stream)


def _archived(path: Path) -> Iterator[Member]:
    """The files of one archive, under its limits."""
    budget = Budget(path)
    try:
        reader = _zipped if zipfile.is_zipfile(path) else _tarred
        for name, size, stream in reader(path):
            budget.count(name, size)
            yield Member(path, name, stream)
    except ANSWERS as error:
        raise _damaged(path, error) from None


def _damaged(path: Path, error: Exception) -> DataError:
    return DataError(f"{path.name} is damaged, or no archive: {' '.join(str(error).split())}", "fetch it again")


def _zipped(path: Path) -> Iterator[tuple[str, int, IO[bytes]]]:
    with zipfile.ZipFile(path) as archive:
        for info in sorted(archive.infolist(), key=lambda info: info.filename):
            check_zip_member(path, info)
            if not info.is_dir():
                with archive.open(info) as stream:
                    yield info.filename, info.file_size, stream


def check_zip_member(path: Path, info: zipfile.ZipInfo) -> None:
    """Raises DataError where a member is a link or a device, or its name leaves the folder."""
    check_name(path, info.filename)
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        raise DataError(f"{path.name}: {info.filename} is a link or a device, not a file", CLEAN)


def _tarred(path: Path) -> Iterator[tuple[str, int, IO[bytes]]]:
    # A tar can only be read from front to back without unpacking it; IAM's are in order.
    with ExitStack() as stack:
        archive = stack.enter_context(tarfile.open(path, "r:*"))
        for info in archive:
            check_name(path, info.name)
            if info.isdir():
                continue
            stream = archive.extractfile(info) if info.isreg() else None
            if stream is None:
                raise DataError(f"{path.name}: {info.name} is a link or a device, not a file", CLEAN)
            yield info.name, info.size, stream


def check_name(path: Path, name: str) -> None:
    """Raises DataError where a member's name would lie outside the folder that the archive were unpacked in."""
    pure = PurePosixPath(name.replace("\\", "/"))
    if pure.is_absolute() or ".." in pure.parts or re.match("[A-Za-z]:", name):
        raise DataError(f"{path.name}: {name!r} leaves its folder", CLEAN)


class Budget:
    """How many members and bytes one archive may still give."""

    def __init__(self, path: Path) -> None:
        self.path, self.members = path, 0
        self.bytes = 0
        self.most = min(MOST_BYTES, max(MOST_SWELL * path.stat().st_size, 1 << 20))

    def count(self, name: str, size: int) -> None:
        """Raises DataError where this member is one too many, or too large."""
        self.members += 1
        self.bytes += size
        if self.members > MOST_MEMBERS:
            raise DataError(f"{self.path.name} has more than {MOST_MEMBERS:,} files, from {name} on", CLEAN)
        if self.bytes > self.most:
            raise DataError(
                f"{self.path.name} swells beyond {self.most:,} bytes, from {self.path.stat().st_size:,}",
                CLEAN,
            )


def check_swell(path: Path) -> None:
    """Raises DataError where a zip that is kept as it is claims too much, or holds what is no plain file."""
    with zipfile.ZipFile(path) as archive:
        budget = Budget(path)
        for info in archive.infolist():
            check_zip_member(path, info)
            budget.count(info.filename, info.file_size)
