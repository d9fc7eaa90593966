"""Brings the archive that `data.source` names to its place: whole and checked, or not at all."""

import hashlib
import zipfile
from pathlib import Path
from typing import BinaryIO

from tqdm import tqdm

from text_recognizer.config import DataSection, SyntheticSection
from text_recognizer.data.iam import DAMAGE, IamArchive
from text_recognizer.data.synthetic import write_corpus
from text_recognizer.errors import DataError
from text_recognizer.files import CHUNK_BYTES, replacing

SYNTHETIC = "synthetic"
HTML_STARTS = (b"<!doctype", b"<html", b"<?xml", b"<head")


def fetch(data: DataSection, synthetic: SyntheticSection, out: Path) -> None:
    """Writes `out`: the built-in sample, or the archive at a path or URL (http, https, file; more with fsspec's).

    Raises DataError where the source is missing, is no zip (a login or error page, say), is cut short or damaged, or
    has another digest than `data.sha256`; `out` is then as it was before.
    """
    if data.source == SYNTHETIC:
        if data.sha256:
            raise DataError("data.sha256 is set, but the source is 'synthetic'", "set data.sha256 to null")
        write_corpus(synthetic, out)
        return
    with replacing(out) as draft:
        digest = _copy(data.source, draft)
        _check_kind(draft, data.source)
        if data.sha256 and digest != data.sha256:
            raise DataError(
                f"{data.source} has sha256 {digest}, but data.sha256 asks for {data.sha256}",
                "fetch from a source that you trust, or set the digest of the archive that you mean",
            )
        _check_archive(draft, data.source)


def _copy(source: str, draft: Path) -> str:
    """Streams the source to `draft` under a progress bar; returns its sha256."""
    import fsspec
    from aiohttp import ClientError

    digest = hashlib.sha256()
    try:
        with fsspec.open(source, "rb") as stream, draft.open("wb") as target:
            total = getattr(stream, "size", None)
            with tqdm(total=total, desc="fetch", unit="B", unit_scale=True, unit_divisor=1024) as bar:
                while chunk := _read(stream):
                    target.write(chunk)
                    digest.update(chunk)
                    bar.update(len(chunk))
    except FileNotFoundError as error:
        # fsspec answers a refused connection with this too; its cause says which it was.
        reason = f"{error.__cause__}" if error.__cause__ else "there is nothing at that place"
        raise DataError(f"there is no {source}: {reason}", "check data.source and the connection") from None
    except (OSError, ValueError, ImportError, RuntimeError, ClientError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(f"{source} cannot be fetched: {reason}", "check data.source and the connection") from None
    return digest.hexdigest()


def _read(stream: BinaryIO) -> bytes:
    return stream.read(CHUNK_BYTES)


def _check_kind(path: Path, source: str) -> None:
    with path.open("rb") as stream:
        start = stream.read(512)
    if not start:
        raise DataError(f"{source} is empty", "fetch it again, or check data.source")
    if start.lstrip(b"\xef\xbb\xbf \r\n\t").lower().startswith(HTML_STARTS):
        raise DataError(
            f"{source} is a web page, not an archive: perhaps a login or an error page",
            "open the address in a browser, sign in, download the zip, and set data.source to that file",
        )
    if not zipfile.is_zipfile(path):
        kind = "is cut short" if start.startswith(b"PK") else "is not a zip archive"
        raise DataError(f"{source} {kind}", "fetch it again, or check data.source")


def _check_archive(path: Path, source: str) -> None:
    """Every member's checksum, and the folders of IAM's layout."""
    try:
        with zipfile.ZipFile(path) as archive:
            broken = archive.testzip()
    except DAMAGE as error:
        raise DataError(f"{source} is damaged: {error}", "fetch it again") from None
    if broken:
        raise DataError(f"{source} is damaged: {broken} fails its checksum", "fetch it again")
    try:
        with IamArchive(path):
            pass
    except DataError as error:
        raise DataError(error.what.replace(str(path), source), error.fix) from None


def download(source: str, out: Path, digest: str | None = None) -> None:
    """Brings any file from a path or URL; `digest` is 'md5:' or 'sha256:' and the hexadecimal digest it must have."""
    _copy(source, out)
    if digest:
        algorithm, wanted = digest.split(":")
        with out.open("rb") as stream:
            found = hashlib.file_digest(stream, algorithm).hexdigest()
        if found != wanted:
            raise DataError(f"{source} has {algorithm} {found}, not {wanted}", "fetch it again")
