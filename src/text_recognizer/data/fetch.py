"""Brings the archive that `data.source` names to its place: whole and checked, or not at all."""

import hashlib
import shutil
import zipfile
from pathlib import Path

from text_recognizer.config import DataSection, SyntheticSection
from text_recognizer.data.archives import DAMAGE, TARS, check_swell
from text_recognizer.data.download import UnfinishedError, download
from text_recognizer.data.iam import IamArchive
from text_recognizer.data.repack import repack
from text_recognizer.data.synthetic import write_corpus
from text_recognizer.data.transfer import login_from_environment, shown
from text_recognizer.errors import DataError
from text_recognizer.files import replacing, sha256

SYNTHETIC, FSDL, IAM = "synthetic", "fsdl", "iam"
# The FSDL lab's mirror of IAM: half-size JPEG forms in one zip.
FSDL_ADDRESS = "https://s3-us-west-2.amazonaws.com/fsdl-public-assets/iam/iamdb.zip"
FSDL_SHA256 = "f3c9e87a88a313e557c6d3548ed8a2a1af2dc3c4a678c5f3fc6f972ba4a50c55"
# IAM's own site: full-size PNG forms, after a login with an account that one registers there.
IAM_ADDRESS = "https://fki.tic.heia-fr.ch"
IAM_PARTS = tuple(f"DBs/iamDB/data/{name}.tgz" for name in ("formsA-D", "formsE-H", "formsI-Z", "xml", "ascii"))
IAM_TASK = "static/zip/largeWriterIndependentTextLineRecognitionTask.zip"
USER, PASSWORD = "IAM_USERNAME", "IAM_PASSWORD"


def fetch(data: DataSection, synthetic: SyntheticSection, out: Path) -> None:
    """Writes `out`, one zip in IAM's layout, from what `data.source` names.

    'synthetic' draws the built-in sample; 'fsdl' is the FSDL lab's mirror; 'iam' IAM's own site, or 'iam:' and the
    address of a copy of it; all else is the path or address of a zip or tar, or of a folder. A zip in IAM's layout is
    kept as it is, everything else is repacked. What has arrived when the line fails, or the run is stopped, lies in a
    hidden folder beside `out`, and the next run goes on from it.

    Raises DataError where the source is missing, is no archive (a login page, say), is cut short, damaged or not safe,
    or has another digest than `data.sha256`; `out` is then as it was before.
    """
    if data.source == SYNTHETIC:
        if data.sha256:
            raise DataError("data.sha256 is set, but the source is 'synthetic'", "set data.sha256 to null")
        write_corpus(synthetic, out)
        return
    work = _workplace(out, data.source)
    try:
        archive = bring(data.source, data.sha256, work)
        _check(archive, shown(data.source))
        with replacing(out) as draft:
            archive.replace(draft)
    except (UnfinishedError, KeyboardInterrupt):
        if not any(work.iterdir()):
            work.rmdir()
        raise
    except BaseException:
        shutil.rmtree(work)
        raise
    shutil.rmtree(work)


def bring(source: str, digest: str | None, work: Path) -> Path:
    """The source as one zip in the folder `work`. `digest` is of what is downloaded, else of what was packed here."""
    if source == IAM or source.startswith(f"{IAM}:"):
        return _repacked(_from_site(source.partition(":")[2] or IAM_ADDRESS, work), digest, work)
    path = Path(source.removeprefix("file://"))
    if path.is_dir():
        return _repacked([path], digest, work)
    address, digest = (FSDL_ADDRESS, digest or FSDL_SHA256) if source == FSDL else (source, digest)
    archive = work / (shown(address).rstrip("/").rpartition("/")[2] or "archive")
    download(address, archive, f"sha256:{digest}" if digest else None)
    if archive.name.endswith(TARS) and not zipfile.is_zipfile(archive):
        return _repacked([archive], None, work)
    return archive


def _workplace(out: Path, source: str) -> Path:
    """The folder for what arrives from this source; what another source has left is removed."""
    mine = out.parent / f".{out.name}.{hashlib.sha256(source.encode()).hexdigest()[:12]}.part"
    for other in out.parent.glob(f".{out.name}.*.part"):
        if other != mine:
            shutil.rmtree(other)
    mine.mkdir(parents=True, exist_ok=True)
    return mine


def _from_site(base: str, work: Path) -> list[Path]:
    """IAM's parts, each fetched once however often the run is stopped."""
    login = login_from_environment(f"{base}/login", USER, PASSWORD)
    parts = []
    for place in (*IAM_PARTS, IAM_TASK):
        out = work / place.rpartition("/")[2]
        if not out.exists():
            download(f"{base}/{place}", out, login=login)
        parts.append(out)
    return parts


def _repacked(parts: list[Path], digest: str | None, work: Path) -> Path:
    out = work / "repacked.zip"
    repack(parts, out)
    if digest and (found := sha256(out)) != digest:
        raise DataError(
            f"what was packed has sha256 {found}, but data.sha256 asks for {digest}",
            "fetch from a source that you trust, or set the digest that you mean",
        )
    return out


def _check(path: Path, source: str) -> None:
    """What it is, that it is safe, every member's checksum, and the folders of IAM's layout."""
    _check_kind(path, source)
    try:
        check_swell(path)
        with zipfile.ZipFile(path) as archive:
            broken = archive.testzip()
    except DAMAGE as error:
        raise DataError(f"{source} is damaged: {error}", "fetch it again") from None
    except DataError as error:
        raise DataError(f"{source}: {error.what}", error.fix) from None
    if broken:
        raise DataError(f"{source} is damaged: {broken} fails its checksum", "fetch it again")
    try:
        with IamArchive(path):
            pass
    except DataError as error:
        raise DataError(error.what.replace(str(path), source), error.fix) from None


def _check_kind(path: Path, source: str) -> None:
    if not path.stat().st_size:
        raise DataError(f"{source} is empty", "fetch it again, or check data.source")
    if not zipfile.is_zipfile(path):
        with path.open("rb") as stream:
            kind = "is cut short" if stream.read(2) == b"PK" else "is not a zip archive"
        raise DataError(f"{source} {kind}", "fetch it again, or check data.source")
