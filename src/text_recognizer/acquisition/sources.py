"""Fetch the archives that `data.sources` names, and check each before it replaces the old one."""

import hashlib
import shutil
import zipfile
from pathlib import Path

from text_recognizer.acquisition.download import IncompleteDownloadError, download
from text_recognizer.acquisition.source_files import pack_pages
from text_recognizer.acquisition.transfer import is_remote, login_from_environment, redact_address
from text_recognizer.core.data_params import DataSection, SourceEntry
from text_recognizer.core.errors import ConnectionFailedError, DataError
from text_recognizer.core.params import SyntheticSection
from text_recognizer.corpora.file_trees import ENCRYPTED
from text_recognizer.corpora.iam import IamArchive
from text_recognizer.corpora.iam_layout import repack
from text_recognizer.corpora.opening_corpora import open_corpus
from text_recognizer.corpora.page_sources import IAM_FORMAT, raw_archive
from text_recognizer.synthetic import write_corpus
from text_recognizer.utils.archives import ARCHIVE_ERRORS, TAR_SUFFIXES, check_zip_limits
from text_recognizer.utils.files import replace_atomically, sha256

SYNTHETIC, FSDL, IAM = "synthetic", "fsdl", "iam"
# The mirror of IAM by the FSDL lab: half-size JPEG forms in one zip.
FSDL_ADDRESS = "https://s3-us-west-2.amazonaws.com/fsdl-public-assets/iam/iamdb.zip"
FSDL_SHA256 = "f3c9e87a88a313e557c6d3548ed8a2a1af2dc3c4a678c5f3fc6f972ba4a50c55"
# The site of IAM: full-size PNG forms, for users who have registered there.
IAM_ADDRESS = "https://fki.tic.heia-fr.ch"
IAM_PARTS = tuple(f"DBs/iamDB/data/{name}.tgz" for name in ("formsA-D", "formsE-H", "formsI-Z", "xml", "ascii"))
IAM_TASK = "static/zip/largeWriterIndependentTextLineRecognitionTask.zip"
USER_VARIABLE, PASSWORD_VARIABLE = "IAM_USERNAME", "IAM_PASSWORD"
FIX = "fetch it again, or check data.sources"


def fetch_all(data: DataSection, synthetic: SyntheticSection, raw: Path, workers: int = 0) -> None:
    """Fetch every source to an archive of the folder `raw`, and remove what lies there beside them.

    Raises as `fetch`; the archives of the sources before the one that failed are new then.
    """
    wanted = {raw_archive(entry, raw) for entry in data.sources}
    for entry in data.sources:
        fetch(entry, synthetic, raw_archive(entry, raw), workers)
    for path in set(raw.iterdir()) - wanted:
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def fetch(entry: SourceEntry, synthetic: SyntheticSection, out: Path, workers: int = 0) -> None:
    """Write `out`, a zip with the pages of a source.

    The address is one of:
    - 'synthetic': the built-in sample, which `workers` processes draw;
    - 'fsdl': the mirror of the FSDL lab;
    - 'iam': the site of IAM, or 'iam:' and the address of a copy of the site;
    - the path or address of a zip, a tar, a table or a Parquet file, or the path of a folder.

    A zip is kept as it is. Everything else is packed, and files of IAM in the layout of IAM. After a failed connection,
    Ctrl-C or a kill, the bytes that have arrived are kept in a hidden folder beside `out`, and the next run resumes
    from there.

    Raises:
        ConnectionFailedError: the source does not answer, or its answer was cut short; a later run may succeed.
        DataError: the source is missing, not an archive (but a login page, say), damaged or unsafe, not of its format,
            or its digest is not `entry.sha256`. The old `out` is kept.
    """
    if entry.address == SYNTHETIC:
        if entry.sha256:
            raise DataError("sha256 is set, but the source is 'synthetic'", "set its sha256 to null")
        write_corpus(synthetic, out, workers)
        return
    work = _work_folder(out, entry.address)
    try:
        archive = obtain_archive(entry, work)
        _check(archive, entry)
        with replace_atomically(out) as draft:
            archive.replace(draft)
    except (IncompleteDownloadError, KeyboardInterrupt):
        if not any(work.iterdir()):
            work.rmdir()
        raise
    except BaseException:
        shutil.rmtree(work)
        raise
    shutil.rmtree(work)


def obtain_archive(entry: SourceEntry, work: Path) -> Path:
    """Download or pack a source as one zip in the folder `work`, and return its path.

    The digest of the entry is that of the download, or of the zip if several files are packed.
    """
    source, digest = entry.address, entry.sha256
    if _is_iam_site(source):
        return _repack(_download_iam_parts(source.partition(":")[2] or IAM_ADDRESS, work), digest, work)
    path = Path(source.removeprefix("file://"))
    if entry.format != IAM_FORMAT and path.exists() and not zipfile.is_zipfile(path):
        return _with_digest(pack_pages(path, entry, work / "packed.zip"), digest)
    if path.is_dir():
        return _repack([path], digest, work)
    address, digest = (FSDL_ADDRESS, digest or FSDL_SHA256) if source == FSDL else (source, digest)
    archive = work / (redact_address(address).rstrip("/").rpartition("/")[2] or "archive")
    download(address, archive, f"sha256:{digest}" if digest else None)
    if entry.format != IAM_FORMAT and not zipfile.is_zipfile(archive):
        return pack_pages(archive, entry, work / "packed.zip")
    if archive.name.endswith(TAR_SUFFIXES) and not zipfile.is_zipfile(archive):
        return _repack([archive], None, work)
    return archive


def _is_iam_site(source: str) -> bool:
    return source == IAM or source.startswith(f"{IAM}:")


def _work_folder(out: Path, source: str) -> Path:
    """Make the folder for what arrives from this source, and remove those of other sources."""
    folder = out.parent / f".{out.name}.{hashlib.sha256(source.encode()).hexdigest()[:12]}.part"
    for other in out.parent.glob(f".{out.name}.*.part"):
        if other != folder:
            shutil.rmtree(other)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _download_iam_parts(site: str, work: Path) -> list[Path]:
    """Download the parts of IAM that have not arrived yet, and return the paths of all parts."""
    login = login_from_environment(f"{site}/login", USER_VARIABLE, PASSWORD_VARIABLE)
    parts = []
    for part in (*IAM_PARTS, IAM_TASK):
        out = work / part.rpartition("/")[2]
        if not out.exists():
            download(f"{site}/{part}", out, login=login)
        parts.append(out)
    return parts


def _repack(parts: list[Path], digest: str | None, work: Path) -> Path:
    out = work / "repacked.zip"
    repack(parts, out)
    return _with_digest(out, digest)


def _with_digest(archive: Path, digest: str | None) -> Path:
    """Return the path of a packed archive. Raises DataError if it has not this digest."""
    if digest and (found := sha256(archive)) != digest:
        raise DataError(
            f"the packed archive has the sha256 {found}, but {digest} is expected",
            "fetch from a source that you trust, or set the digest that you mean",
        )
    return archive


def _check(path: Path, entry: SourceEntry) -> None:
    """Check that the file is a zip, is safe, has intact members, and has pages of its format."""
    name = redact_address(entry.address)
    _check_is_zip(path, entry.address)
    try:
        check_zip_limits(path)
        with zipfile.ZipFile(path) as archive:
            damaged = None if _is_encrypted(archive) else archive.testzip()
    except ARCHIVE_ERRORS as error:
        raise DataError(f"{name} is damaged: {error}", "fetch it again") from None
    except DataError as error:
        raise DataError(f"{name}: {error.what}", error.fix) from None
    if damaged:
        raise DataError(f"{name} is damaged: the checksum of {damaged} is wrong", "fetch it again")
    try:
        with IamArchive(path) if entry.format == IAM_FORMAT else open_corpus(path, entry.format):
            pass
    except DataError as error:
        raise DataError(error.what.replace(str(path), name), error.fix) from None


def _is_encrypted(archive: zipfile.ZipFile) -> bool:
    return any(info.flag_bits & ENCRYPTED for info in archive.infolist())


def _check_is_zip(path: Path, source: str) -> None:
    name = redact_address(source)
    if not path.stat().st_size:
        raise DataError(f"{name} is empty", FIX)
    if zipfile.is_zipfile(path):
        return
    with path.open("rb") as stream:
        truncated = stream.read(2) == b"PK"
    if truncated and (is_remote(source) or source == FSDL):
        raise ConnectionFailedError(f"{name} is cut short", FIX)
    raise DataError(f"{name} is cut short" if truncated else f"{name} is not a zip archive", FIX)
