"""What every corpus can do, whatever format it has: list its pages, give their texts, and divide itself."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Literal, Self

from text_recognizer.core.errors import DataError
from text_recognizer.corpora.file_trees import FileTree
from text_recognizer.corpora.page_lists import split_lists
from text_recognizer.corpora.transcribed_pages import TranscribedPage

Format = Literal["iam", "page", "alto", "text", "lines", "parquet", "packed", "corrections"]


class Corpus(ABC):
    """Transcribed pages under one address. Use it as a context manager."""

    format: ClassVar[Format]

    def __init__(self, address: Path) -> None:
        self.address = address

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    @abstractmethod
    def ids(self) -> tuple[str, ...]:
        """The ids of all pages, each once, in the order of the archive."""

    @abstractmethod
    def page(self, page_id: str) -> TranscribedPage:
        """Return a page, without opening its picture. Raises DataError if its text or its picture is not usable."""

    def lists(self) -> dict[str, tuple[str, ...]]:
        """Return the ids in each of the lists `train.list`, `validation.list` and `test.list` that there are."""
        return {}

    def own_parts(self) -> dict[str, tuple[str, ...]]:
        """Return the ids of each part that the archive's format itself names; nothing if it names none."""
        return {}

    def parts(self) -> dict[str, tuple[str, ...]]:
        """Return the ids of each part: by the lists, or else by the archive's format. Raises DataError as `lists`."""
        return self.lists() or self.own_parts()

    def close(self) -> None:  # noqa: B027 - a corpus may have nothing to close
        """Close the files of the corpus."""

    def pages(self) -> Iterator[TranscribedPage]:
        """Yield the pages that are usable."""
        for page_id in self.ids:
            try:
                page = self.page(page_id)
            except DataError:
                continue
            yield page

    def __len__(self) -> int:
        return len(self.ids)


class FilesCorpus(Corpus):
    """A corpus in the files of a folder or a zip, which it closes."""

    def __init__(self, files: FileTree) -> None:
        super().__init__(files.address)
        self._files = files

    def lists(self) -> dict[str, tuple[str, ...]]:
        """Return the ids in each list of the archive. Raises DataError if a list is wrong."""
        return split_lists(self._files, frozenset(self.ids))

    def close(self) -> None:
        """Close the archive."""
        self._files.close()


def require_known(page_id: str, table: Mapping[str, object], address: Path) -> None:
    """Raise DataError if a page is not in the table of a corpus."""
    if page_id not in table:
        raise DataError(f"{address} has no page {page_id}", "name a page that it has")
