"""Archives and folders of IAM, in whatever layout, as the one zip that the pipeline reads; see docs/adr/0001."""

import re
import zipfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from tqdm import tqdm

from text_recognizer.data.archives import Member, members
from text_recognizer.data.iam import PICTURE_SUFFIXES
from text_recognizer.errors import DataError

FORM = re.compile(r"[A-Za-z]+\d+-\d+[a-z]?")
TASK = ("trainset", "validationset1", "validationset2", "testset")
AACHEN = ("train", "validation", "test")
TABLES = ("forms", "lines", "words", "sentences")


def repack(parts: Iterable[Path], out: Path) -> None:
    """Writes what `parts` (zips, tars, folders of any of them or of loose files) hold of IAM to the zip `out`.

    The same parts give the same bytes. Raises DataError naming the part and the member at fault.
    """
    placed: dict[str, str] = {}
    with zipfile.ZipFile(out, "w") as target, tqdm(desc="pack", unit="file") as bar:
        for part in parts:
            for member in members(part):
                if (place := place_of(member.name)) is None:
                    continue
                if place in placed:
                    raise DataError(
                        f"{member.part.name}: {member.name} and {placed[place]} are the same file of IAM", "remove one"
                    )
                placed[place] = member.name
                _write(target, place, member)
                bar.update()


def place_of(name: str) -> str | None:
    """Where a file belongs in IAM's layout, by its name; None for what the pipeline has no use for."""
    path = PurePosixPath(name)
    stem, suffix, folder = path.stem, path.suffix.lower(), path.parent.name.lower()
    if stem.startswith("."):
        return None
    if suffix in PICTURE_SUFFIXES and FORM.fullmatch(stem):
        return f"iamdb/forms/{stem}{suffix}"
    if suffix == ".xml" and FORM.fullmatch(stem):
        return f"iamdb/xml/{stem}.xml"
    if suffix == ".txt":
        for place, stems in (("task", TASK), ("ascii", TABLES)):
            if stem in stems:
                return f"iamdb/{place}/{stem}.txt"
        if folder == "aachen" and stem in AACHEN:
            return f"iamdb/aachen/{stem}.txt"
    return None


def _write(target: zipfile.ZipFile, place: str, member: Member) -> None:
    info = zipfile.ZipInfo(place)  # of 1980: the same bytes whenever it is packed
    info.compress_type = zipfile.ZIP_STORED if place.endswith(PICTURE_SUFFIXES) else zipfile.ZIP_DEFLATED
    info.external_attr = 0o644 << 16
    with target.open(info, "w") as packed:
        for chunk in member.chunks():
            packed.write(chunk)
