"""Check and open the files that clients send."""

from collections.abc import Iterator
from dataclasses import dataclass

from fastapi import UploadFile

from text_recognizer.core.errors import TextRecognizerError
from text_recognizer.core.schemas import Problem
from text_recognizer.pages.opening import OpenedPage, is_page_file, open_pages
from text_recognizer.pages.page_selection import PageSelection
from text_recognizer.serving.problems import RequestError, describe, refuse

KINDS = "send a picture (PNG, JPEG, TIFF, WebP, GIF, BMP, HEIC, AVIF) or a PDF"


@dataclass(frozen=True)
class Upload:
    """A file that a client sent."""

    name: str
    data: bytes

    @classmethod
    def of(cls, part: UploadFile) -> "Upload":
        """Read a part of a form."""
        return cls(part.filename or "the picture", part.file.read())

    def require_known(self) -> None:
        """Raise RequestError with status 415 if the file is no picture and no PDF."""
        if not is_page_file(self.data):
            raise RequestError(415, f"{self.name} is not a picture or a PDF that can be read", KINDS)

    def page(self, number: int) -> OpenedPage:
        """Decode one page, upright. Raises RequestError if that is impossible."""
        self.require_known()
        try:
            return next(open_pages(self.data, self.name, [number]))
        except TextRecognizerError as error:
            refuse(error)


@dataclass(frozen=True)
class DamagedPage:
    """A page that cannot be opened: its number, and why."""

    number: int
    problem: Problem


def open_each(upload: Upload, pages: PageSelection | None = None) -> Iterator[OpenedPage | DamagedPage]:
    """Yield the pages of a file, upright. Each is decoded when it is asked for. A damaged page costs only itself.

    `pages` selects some. Raises RequestError if the file cannot be opened at all, or has no such page.
    """
    upload.require_known()
    waiting: list[int] | None = None  # the pages that are still to be opened, once the file has said how many it has
    while waiting is None or waiting:
        try:
            for page in open_pages(upload.data, upload.name, pages if waiting is None else waiting):
                waiting = [number for number in _numbers(pages, page.count, upload.name) if number > page.number]
                yield page
            return
        except TextRecognizerError as error:
            number, *waiting = waiting or _numbers_behind_damage(upload, pages) or refuse(error)
            yield DamagedPage(number, describe(422, error.what, error.fix))


def _numbers(pages: PageSelection | None, count: int, name: str) -> list[int]:
    return pages.numbers(count, name) if pages else list(range(1, count + 1))


def _numbers_behind_damage(upload: Upload, pages: PageSelection | None) -> list[int]:
    """Return the pages to open of a file whose first page is damaged; none if the next page is damaged too."""
    first = pages.ranges[0].first if pages else 1
    try:
        return _numbers(pages, next(open_pages(upload.data, upload.name, [first + 1])).count, upload.name)
    except TextRecognizerError:
        return []
