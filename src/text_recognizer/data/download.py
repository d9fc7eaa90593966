"""One file from anywhere: it goes on after a cut, is digested on its way, and lies at its place whole or not at all."""

import hashlib
import http.client
import json
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from text_recognizer.data.transfer import (
    FIX,
    CutError,
    Login,
    Opened,
    Source,
    client_errors,
    shown,
    source_of,
)
from text_recognizer.errors import DataError
from text_recognizer.files import CHUNK_BYTES

TRIES = 5  # in a row that bring nothing new
FIRST_WAIT = 1.0  # s before the second try; each wait is twice the last
HTML_STARTS = (b"<!doctype", b"<html", b"<?xml", b"<head")


class UnfinishedError(DataError):
    """The line failed too often. What has arrived is kept where the source lets a later run go on from it."""


@dataclass
class Partial:
    """What has arrived of one file: `body` beside its place, and `note` with its address and the tag of its version."""

    address: str
    body: Path
    note: Path
    tag: str | None = None

    @classmethod
    def beside(cls, out: Path, address: str) -> "Partial":
        """What an earlier run left for this address, or nothing."""
        partial = cls(address, out.with_name(f".{out.name}.body"), out.with_name(f".{out.name}.note"))
        try:
            note = json.loads(partial.note.read_text(encoding="utf-8"))
            partial.tag = note["tag"] if note["address"] == _named(address) else None
        except (OSError, ValueError, KeyError, TypeError):
            partial.tag = None
        if partial.tag is None:
            partial.drop()
        return partial

    @property
    def size(self) -> int:
        return self.body.stat().st_size if self.body.exists() else 0

    def begin(self, tag: str | None) -> None:
        """A new version: nothing of it has arrived."""
        self.body.parent.mkdir(parents=True, exist_ok=True)
        self.drop()
        self.tag = tag
        if tag:
            self.note.write_text(json.dumps({"address": _named(self.address), "tag": tag}), encoding="utf-8")

    def drop(self) -> None:
        self.body.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)


def download(address: str, out: Path, digest: str | None = None, login: Login | None = None) -> None:
    """Brings the file at a path or URL to `out`; `digest` is 'md5:' or 'sha256:' and what it must be in hexadecimal.

    Raises DataError where there is none, it is a web page, or it has another digest, and UnfinishedError where the line
    fails again and again: the next call then goes on where this one ended, as it does after Ctrl-C or a kill, if the
    source can say that its content is still the same.
    """
    source, partial = source_of(address, login), Partial.beside(out, address)
    algorithm, _, wanted = (digest or "sha256:").partition(":")
    with tqdm(desc=f"fetch {out.name}", unit="B", unit_scale=True, unit_divisor=1024) as bar:
        try:
            found = _persist(source, partial, algorithm, bar)
        except CutError as error:
            if partial.tag is None:
                partial.drop()
            raise UnfinishedError(f"{shown(address)} cannot be fetched: {error}", f"{FIX}; repeat to go on") from None
        except DataError:
            partial.drop()
            raise
        except KeyboardInterrupt:
            if partial.tag is None:
                partial.drop()
            raise
    if wanted and found != wanted:
        partial.drop()
        raise DataError(
            f"{shown(address)} has {algorithm} {found}, but {wanted} is asked for",
            "fetch from a source that you trust, or set the digest of the archive that you mean",
        )
    partial.body.replace(out)
    partial.drop()


def _persist(source: Source, partial: Partial, algorithm: str, bar: tqdm) -> str:
    """Tries until all has arrived, or too many tries in a row have brought nothing new; returns the digest."""
    furthest, tries = partial.size, 0
    while True:
        try:
            return _go_on(source, partial, algorithm, bar)
        except CutError as error:
            if error.afresh:
                partial.begin(None)
            tries = 1 if partial.size > furthest else tries + 1
            furthest = max(furthest, partial.size)
            if tries >= TRIES:
                raise
            wait = error.wait or FIRST_WAIT * 2 ** (tries - 1)
            bar.set_postfix_str(f"{error}; again in {wait:.0f} s")
            time.sleep(wait)


def _go_on(source: Source, partial: Partial, algorithm: str, bar: tqdm) -> str:
    """One try: from where the last one ended, if the source still has the same; else from the beginning."""
    opened = source.open(partial.size, partial.tag)
    with opened.stream:
        if opened.page:
            raise _web_page(partial.address)
        if opened.start == 0:
            partial.begin(opened.tag)
        _room(partial, opened)
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
                    _refuse_page(chunk, partial.address)
                target.write(chunk)
                digest.update(chunk)
                bar.update(len(chunk))
    if opened.total is not None and partial.size != opened.total:
        raise CutError(f"it ended after {partial.size:,} of {opened.total:,} bytes")
    return digest.hexdigest()


def _read(opened: Opened, address: str) -> bytes:
    expected: tuple[type[Exception], ...] = (http.client.HTTPException, OSError, *client_errors(address))
    try:
        return opened.stream.read(CHUNK_BYTES)
    except expected as error:
        raise CutError(f"the line was cut: {type(error).__name__} {error}".strip()) from None


def _room(partial: Partial, opened: Opened) -> None:
    free, missing = shutil.disk_usage(partial.body.parent).free, (opened.total or 0) - opened.start
    if missing > free:
        raise DataError(
            f"{shown(partial.address)} is {missing:,} bytes, and {partial.body.parent} has room for {free:,}",
            "make room, or put the project on a larger disk",
        )


def _refuse_page(start: bytes, address: str) -> None:
    if start[:512].lstrip(b"\xef\xbb\xbf \r\n\t").lower().startswith(HTML_STARTS):
        raise _web_page(address)


def _web_page(address: str) -> DataError:
    return DataError(
        f"{shown(address)} is a web page, not an archive: perhaps a login or an error page",
        "open the address in a browser, sign in, download the zip, and set data.source to that file",
    )


def _named(address: str) -> str:
    """The address as a digest: it may carry a password, which must not lie in a file."""
    return hashlib.sha256(address.encode()).hexdigest()
