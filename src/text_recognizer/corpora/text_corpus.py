"""Pictures with a text file each, without places of lines, in a folder or a zip."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import ClassVar

from text_recognizer.core.charset import join_lines
from text_recognizer.core.errors import DataError
from text_recognizer.corpora.corpus_base import FilesCorpus, Format, require_known
from text_recognizer.corpora.file_trees import FileTree, text_of
from text_recognizer.corpora.page_lists import PICTURE_SUFFIXES
from text_recognizer.corpora.picture_search import tree_picture
from text_recognizer.corpora.transcribed_pages import TranscribedPage, labelled_lines

REPAIR = "correct or remove the file"


@dataclass(frozen=True)
class TextFile:
    """The text of a picture: the name of its file, and whether its line breaks are those of the page."""

    name: str
    has_line_breaks: bool


class TextCorpus(FilesCorpus):
    """Pictures, `a.jpg`, and their texts, `a.txt` with a line of text for each line of the page.

    A text whose name occurs in the names of pictures without a text of their own, such as `letter.txt` in
    `w7_letter.jpg`, belongs to all of them; their writers broke its lines differently.
    """

    format: ClassVar[Format] = "text"

    def __init__(self, files: FileTree) -> None:
        """Take the pictures of an archive. Raises DataError if two have the same name, or there are none."""
        super().__init__(files)
        self._pictures = _pictures(files)
        self._texts = [name for name in files.with_suffix(".txt") if name not in self._pictures]
        own = {_stem(name) for name in self._pictures.values()}
        self._shared = [name for name in self._texts if _stem(name) not in own]

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of all pages: the names of the pictures without their suffixes."""
        return tuple(self._pictures)

    def page(self, page_id: str) -> TranscribedPage:
        """Return a page. Raises DataError if it has no text, or the text is empty or not UTF-8."""
        file = self.text_file(page_id)
        label = self._files.label(file.name)
        text = text_of(self._files.read(file.name), label)
        found = labelled_lines(text if file.has_line_breaks else join_lines(text))
        if not found:
            raise DataError(f"{label} is empty", REPAIR)
        picture = tree_picture(self._files, self._pictures[page_id])
        return TranscribedPage(page_id, page_id, picture, found, has_line_breaks=file.has_line_breaks)

    def text_file(self, page_id: str) -> TextFile:
        """Return the file with the text of a page. Raises DataError if there is none."""
        require_known(page_id, self._pictures, self.address)
        picture = PurePosixPath(self._pictures[page_id])
        own = str(picture.with_suffix(".txt"))
        if own in self._files:
            return TextFile(own, has_line_breaks=True)
        named = [name for name in self._shared if _stem(name) in picture.stem]
        if not named:
            raise DataError(
                f"{self._files.label(str(picture))} has no text",
                f"write {picture.stem}.txt beside it, a line of text for each line, or move it away",
            )
        return TextFile(max(named, key=lambda name: len(_stem(name))), has_line_breaks=False)


def has_texts(files: FileTree) -> bool:
    """Return whether an archive has pictures, and a text for at least one of them."""
    pictures = {_stem(name) for name in files.with_suffix(*PICTURE_SUFFIXES)}
    return any(_stem(name) in picture for name in files.with_suffix(".txt") for picture in pictures)


def _pictures(files: FileTree) -> dict[str, str]:
    """Return the name of each picture by its id, which holds its folder if several pictures have the same name."""
    names = files.with_suffix(*PICTURE_SUFFIXES)
    if not names:
        raise DataError(f"{files.address} holds no pictures", "name a folder with pictures and a text file for each")
    by_path: dict[str, list[str]] = defaultdict(list)
    for name in names:
        by_path[str(PurePosixPath(name).with_suffix(""))].append(name)
    for same in by_path.values():
        if len(same) > 1:
            raise DataError(f"{files.label(same[0])} and {same[1]} have the same name", "rename one of them")
    counts = Counter(map(_stem, names))
    return {(path if counts[_stem(same[0])] > 1 else _stem(same[0])): same[0] for path, same in by_path.items()}


def _stem(name: str) -> str:
    return PurePosixPath(name).stem
