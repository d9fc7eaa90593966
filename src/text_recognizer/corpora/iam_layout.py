"""Pack archives and folders of IAM, in any layout, into the zip that the pipeline reads; see docs/adr/0001."""

import re
import zipfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from tqdm import tqdm

from text_recognizer.core.errors import DataError
from text_recognizer.corpora.iam import PICTURE_SUFFIXES
from text_recognizer.utils.archives import Member, members

FORM_ID = re.compile(r"[A-Za-z]+\d+-\d+[a-z]?")
LWITLRT_LISTS = ("trainset", "validationset1", "validationset2", "testset")
AACHEN_LISTS = ("train", "validation", "test")
TABLES = ("forms", "lines", "words", "sentences")


def repack(parts: Iterable[Path], out: Path) -> None:
    """Write the files of IAM that `parts` hold to the zip `out`. Other files are left out.

    A part is a zip, a tar, or a folder with zips, tars and loose files. The same parts give the same bytes.

    Raises:
        DataError: a part is damaged or unsafe, or two members are the same file of IAM.
    """
    sources: dict[str, str] = {}
    with zipfile.ZipFile(out, "w") as target, tqdm(desc="pack", unit="file") as bar:
        for part in parts:
            for member in members(part):
                if (path := layout_path(member.name)) is None:
                    continue
                if path in sources:
                    raise DataError(
                        f"{member.part.name}: {member.name} and {sources[path]} are the same file of IAM", "remove one"
                    )
                sources[path] = member.name
                _write(target, path, member)
                bar.update()


def layout_path(name: str) -> str | None:
    """Return where a file belongs in the layout of IAM, by its name; None if the pipeline does not use the file."""
    path = PurePosixPath(name)
    stem, suffix, folder = path.stem, path.suffix.lower(), path.parent.name.lower()
    if stem.startswith("."):
        return None
    if suffix in PICTURE_SUFFIXES and FORM_ID.fullmatch(stem):
        return f"iamdb/forms/{stem}{suffix}"
    if suffix == ".xml" and FORM_ID.fullmatch(stem):
        return f"iamdb/xml/{stem}.xml"
    if suffix == ".txt":
        for subfolder, stems in (("task", LWITLRT_LISTS), ("ascii", TABLES)):
            if stem in stems:
                return f"iamdb/{subfolder}/{stem}.txt"
        if folder == "aachen" and stem in AACHEN_LISTS:
            return f"iamdb/aachen/{stem}.txt"
    return None


def _write(target: zipfile.ZipFile, path: str, member: Member) -> None:
    info = zipfile.ZipInfo(path)  # dated 1980, so that the bytes do not depend on the time
    info.compress_type = zipfile.ZIP_STORED if path.endswith(PICTURE_SUFFIXES) else zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    with target.open(info, "w") as packed:
        for chunk in member.chunks():
            packed.write(chunk)
