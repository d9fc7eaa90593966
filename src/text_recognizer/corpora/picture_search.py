"""Find the picture of a label file: beside it, in the folder above it, or anywhere else in the archive."""

import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from pathlib import PurePosixPath
from urllib.parse import unquote

from text_recognizer.core.errors import DataError
from text_recognizer.corpora.file_trees import FileTree
from text_recognizer.corpora.page_lists import PICTURE_SUFFIXES, without_suffix
from text_recognizer.corpora.transcribed_pages import PagePicture

TIDY = "put one picture of that name beside the label file"


class PictureSearch:
    """The pictures in an archive, and those in another folder, if one is named."""

    def __init__(self, trees: Sequence[FileTree]) -> None:
        self._places: dict[str, list[tuple[FileTree, str]]] = defaultdict(list)
        for tree in trees:
            for name in tree.with_suffix(*PICTURE_SUFFIXES):
                file = _key(PurePosixPath(name).name)
                self._places[file].append((tree, name))
                self._places[_key(without_suffix(file))].append((tree, name))

    def find(self, labels: str, wanted: str, where: str) -> PagePicture:
        """Return the picture of the label file `labels`, which calls it `wanted`; its own name counts else.

        `where` names the label file in messages. Raises DataError if no picture has either name, or several have that
        are equally near to the label file.
        """
        # The name may be a path of another computer, or a URL.
        file = PurePosixPath(unquote(wanted.replace("\\", "/"))).name
        own = without_suffix(PurePosixPath(labels).name)
        for name in (file, PurePosixPath(wanted.replace("\\", "/")).name, without_suffix(file), own):
            if name and (places := self._places.get(_key(name))):
                return tree_picture(*_nearest(places, labels, where))
        raise DataError(f"{where} has no picture: there is no {file or own} in the archive", TIDY)


def tree_picture(tree: FileTree, name: str) -> PagePicture:
    """Return the picture that a file of a tree holds."""
    return PagePicture(PurePosixPath(name).name, tree.label(name), lambda: tree.read(name))


def _key(name: str) -> str:
    """Return a name for comparison: file systems differ in case and in the form of accents."""
    return unicodedata.normalize("NFC", name).casefold()


def _nearest(places: Sequence[tuple[FileTree, str]], labels: str, where: str) -> tuple[FileTree, str]:
    """Return the picture whose folder shares most with that of the label file."""
    folders = PurePosixPath(labels).parent.parts
    ranked = sorted(places, key=lambda place: _distance(PurePosixPath(place[1]).parent.parts, folders))
    distances = [_distance(PurePosixPath(name).parent.parts, folders) for _, name in ranked[:2]]
    if len(ranked) > 1 and distances[0] == distances[1]:
        names = " and ".join(name for _, name in ranked[:2])
        raise DataError(f"{where} could belong to several pictures, for instance {names}", TIDY)
    return ranked[0]


def _distance(one: Sequence[str], other: Sequence[str]) -> int:
    """Return the number of steps from one folder to another."""
    common = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        common += 1
    return len(one) + len(other) - 2 * common
