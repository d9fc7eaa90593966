"""Download one file: resume after an interruption, compute its digest on the way, and write it atomically."""

import hashlib
import http.client
import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm import tqdm

from text_recognizer.acquisition.transfer import (
    FIX,
    Login,
    OpenedSource,
    Source,
    TransferInterruptedError,
    client_error_types,
    redact_address,
    source_for,
)
from text_recognizer.core.errors import ConnectionFailedError, DataError
from text_recognizer.utils.files import CHUNK_BYTES

MAX_TRIES = 5  # in a row without a new byte
FIRST_WAIT = 1.0  # seconds before the second try; each wait is twice as long as the one before
HTML_STARTS = (b"<!doctype", b"<html", b"<?xml", b"<head")


class IncompleteDownloadError(ConnectionFailedError):
    """The connection failed too often. If the source can resume, the bytes that have arrived are kept."""


@dataclass
class PartialDownload:
    """The bytes of a file that have arrived, in `body`, and a `note` with the file's address and tag."""

    address: str
    body: Path
    note: Path
    tag: str | None = None

    @classmethod
    def beside(cls, out: Path, address: str) -> "PartialDownload":
        """Return what an earlier run has left for this address beside `out`. What belongs to another is removed."""
        partial = cls(address, out.with_name(f".{out.name}.body"), out.with_name(f".{out.name}.note"))
        try:
            note = json.loads(partial.note.read_text(encoding="utf-8"))
            partial.tag = note["tag"] if note["address"] == _address_digest(address) else None
        except (OSError, ValueError, KeyError, TypeError):
            partial.tag = None
        partial.drop_if_unresumable()
        return partial

    @property
    def size(self) -> int:
        """The number of bytes that have arrived."""
        return self.body.stat().st_size if self.body.exists() else 0

    def begin(self, tag: str | None) -> None:
        """Start with a new version of the file, of which nothing has arrived."""
        self.body.parent.mkdir(parents=True, exist_ok=True)
        self.drop()
        self.tag = tag
        if tag:
            note = {"address": _address_digest(self.address), "tag": tag}
            self.note.write_text(json.dumps(note), encoding="utf-8")

    def drop(self) -> None:
        """Remove both files."""
        self.body.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)

    def drop_if_unresumable(self) -> None:
        """Remove both files unless the source has given a tag to resume with."""
        if self.tag is None:
            self.drop()


def download(address: str, out: Path, digest: str | None = None, login: Login | None = None) -> None:
    """Download the file at a path or URL to `out`. `digest` is its 'md5:' or 'sha256:' in hexadecimal.

    After an interruption, Ctrl-C or a kill, the next call resumes where this one ended, if the source can tell that its
    content is still the same.

    Raises:
        IncompleteDownloadError: the connection failed again and again.
        ConnectionFailedError: the file is not there, and may appear later.
        DataError: the file is a web page, has another digest, does not fit on the disk, or is refused.
    """
    source, partial = source_for(address, login), PartialDownload.beside(out, address)
    algorithm, _, expected = (digest or "sha256:").partition(":")
    with tqdm(desc=f"fetch {out.name}", unit="B", unit_scale=True, unit_divisor=1024) as bar:
        try:
            found = _download_with_retries(source, partial, algorithm, bar)
        except TransferInterruptedError as error:
            partial.drop_if_unresumable()
            raise IncompleteDownloadError(
                f"{redact_address(address)} cannot be fetched: {error}", f"{FIX}; repeat the command to resume"
            ) from None
        except DataError:
            partial.drop()
            raise
        except KeyboardInterrupt:
            partial.drop_if_unresumable()
            raise
    if expected and found != expected:
        partial.drop()
        raise DataError(
            f"{redact_address(address)} has the {algorithm} {found}, but {expected} is expected",
            "fetch from a source that you trust, or set the digest of the archive that you mean",
        )
    partial.body.replace(out)
    partial.drop()


def _download_with_retries(source: Source, partial: PartialDownload, algorithm: str, bar: "tqdm[Any]") -> str:
    """Try until all bytes have arrived, or too many tries in a row have brought no new byte. Return the digest."""
    furthest, tries = partial.size, 0
    while True:
        try:
            return _resume(source, partial, algorithm, bar)
        except TransferInterruptedError as error:
            if error.restart:
                partial.begin(None)
            tries = 1 if partial.size > furthest else tries + 1
            furthest = max(furthest, partial.size)
            if tries >= MAX_TRIES:
                raise
            wait = error.wait or FIRST_WAIT * 2 ** (tries - 1)
            bar.set_postfix_str(f"{error}; next try in {wait:.0f} s")
            time.sleep(wait)


def _resume(source: Source, partial: PartialDownload, algorithm: str, bar: "tqdm[Any]") -> str:
    """Try once, from where the last try ended if the source still has the same content. Return the digest."""
    opened = source.open(partial.size, partial.tag)
    with opened.stream:
        if opened.is_web_page:
            raise _web_page_error(partial.address)
        if opened.start == 0:
            partial.begin(opened.tag)
        _require_disk_space(partial, opened)
        digest = hashlib.new(algorithm, usedforsecurity=False)
        if opened.start:
            with partial.body.open("rb") as arrived:
                while chunk := arrived.read(CHUNK_BYTES):
                    digest.update(chunk)
        bar.total, bar.n = opened.total, opened.start
        bar.refresh()
        with partial.body.open("ab") as target:
            while chunk := _read(opened, partial.address):
                if opened.start == 0 and target.tell() == 0:
                    _refuse_web_page(chunk, partial.address)
                target.write(chunk)
                digest.update(chunk)
                bar.update(len(chunk))
    if opened.total is not None and partial.size != opened.total:
        raise TransferInterruptedError(f"it ended after {partial.size:,} of {opened.total:,} bytes")
    return digest.hexdigest()


def _read(opened: OpenedSource, address: str) -> bytes:
    errors: tuple[type[Exception], ...] = (http.client.HTTPException, OSError, *client_error_types(address))
    try:
        return opened.stream.read(CHUNK_BYTES)
    except errors as error:
        raise TransferInterruptedError(f"the connection was cut: {type(error).__name__} {error}".strip()) from None


def _require_disk_space(partial: PartialDownload, opened: OpenedSource) -> None:
    free, missing = shutil.disk_usage(partial.body.parent).free, (opened.total or 0) - opened.start
    if missing > free:
        raise DataError(
            f"{redact_address(partial.address)} needs {missing:,} bytes, but {partial.body.parent} has {free:,} left",
            "free disk space, or move the project to a larger disk",
        )


def _refuse_web_page(start: bytes, address: str) -> None:
    if start[:512].lstrip(b"\xef\xbb\xbf \r\n\t").lower().startswith(HTML_STARTS):
        raise _web_page_error(address)


def _web_page_error(address: str) -> DataError:
    return DataError(
        f"{redact_address(address)} is a web page, not an archive: perhaps a login or an error page",
        "open the address in a browser, sign in, download the zip, and name that file in data.sources",
    )


def _address_digest(address: str) -> str:
    """Return a digest of the address, which itself may hold a password and must not be written to a file."""
    return hashlib.sha256(address.encode()).hexdigest()
