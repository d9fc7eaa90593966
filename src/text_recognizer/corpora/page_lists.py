"""The lists that divide an archive: `train.list`, `validation.list` and `test.list`, with the name of a page a line.

Every reader of such a list is here.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import combinations
from pathlib import Path, PurePosixPath

from text_recognizer.core.errors import DataError
from text_recognizer.corpora.file_trees import FileTree, read_text, text_of
from text_recognizer.corpora.iam import SPLITS

PICTURE_SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".gif", ".bmp", ".heic", ".avif")
NAME_SUFFIXES = (*PICTURE_SUFFIXES, ".pdf", ".xml", ".txt")
SHOWN = 5  # names in a message


def list_names(text: str) -> tuple[str, ...]:
    """Return the names in a list, each once and without the suffix of a file. Empty lines are left out."""
    names = (without_suffix(name) for line in text.splitlines() if (name := line.strip()))
    return tuple(dict.fromkeys(names))


def without_suffix(name: str) -> str:
    """Return the name of a page without the suffix of a picture or a label file. Other dots stay."""
    suffix = PurePosixPath(name).suffix
    return name[: -len(suffix)] if suffix.lower() in NAME_SUFFIXES else name


def read_list(path: Path) -> tuple[str, ...]:
    """Return the names in a list file. Raises DataError if it is missing or not UTF-8."""
    if not path.is_file():
        raise DataError(f"{path} does not exist", "name a file with one name of a picture a line")
    return list_names(read_text(path))


def split_lists(files: FileTree, ids: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Return the ids in each list that lies in the topmost folder of an archive that holds any.

    Raises DataError if a list names a page that is not there, or two lists name the same page.
    """
    lists = {part: list_names(text_of(files.read(name), files.label(name))) for part, name in _files(files).items()}
    for part, names in lists.items():
        if missing := missing_names(names, ids):
            where = files.label(f"{part}.list")
            raise DataError(f"{where} names {missing}, but there is no such page", "correct the list")
    require_disjoint(lists, str(files.address))
    return lists


def divide(lists: Mapping[str, tuple[str, ...]], ids: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return the pages of each part. Without a `train.list`, the pages that no list names are for training."""
    if "train" in lists:
        return dict(lists)
    return {"train": unlisted(lists, ids), **lists}


def unlisted(lists: Mapping[str, tuple[str, ...]], ids: Iterable[str]) -> tuple[str, ...]:
    """Return the pages that no list names."""
    listed = {name for names in lists.values() for name in names}
    return tuple(page for page in ids if page not in listed)


def missing_names(names: Iterable[str], ids: Collection[str]) -> str:
    """Return the names that are no ids, for a message: the first ones, and the number of the others."""
    return first_names([name for name in names if name not in ids], SHOWN)


def first_names(names: Sequence[str], count: int) -> str:
    """Return up to `count` names for a message, and the number of the others."""
    more = f" and {len(names) - count} more" if len(names) > count else ""
    return ", ".join(names[:count]) + more


def require_disjoint(lists: Mapping[str, Collection[str]], where: str) -> None:
    """Raise DataError if two lists name the same page."""
    for one, other in combinations(lists, 2):
        if common := set(lists[one]) & set(lists[other]):
            what = f"{one}.list and {other}.list of {where} both name {min(common)}"
            raise DataError(what, "name each page in one list only")


def _files(files: FileTree) -> dict[str, str]:
    """Return the name of the file of each list. Of several, the one in the topmost folder counts."""
    found: dict[str, str] = {}
    for name in sorted(files.names, key=lambda name: (name.count("/"), name), reverse=True):
        path = PurePosixPath(name)
        if path.suffix == ".list" and path.stem in SPLITS:
            found[path.stem] = name
    return {part: found[part] for part in SPLITS if part in found}
