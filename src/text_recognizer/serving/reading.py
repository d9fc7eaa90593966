"""Read the pictures and PDFs of a request or a job, page by page, and write each page in the format asked for."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from fastapi import UploadFile
from starlette.responses import JSONResponse, Response

from text_recognizer.core.errors import TextRecognizerError
from text_recognizer.core.output_formats import SINGLE_PAGE, OutputFormat
from text_recognizer.core.schemas import ReadPage, ReadPages, ServedModel, UnreadPage
from text_recognizer.exporting import PictureSource, join_pages, write_page
from text_recognizer.pages.opening import OpenedPage
from text_recognizer.pages.page_selection import PageSelection
from text_recognizer.serving.formats import MEDIA_TYPES
from text_recognizer.serving.problems import RequestError, refuse, to_response
from text_recognizer.serving.served import Served
from text_recognizer.serving.uploads import DamagedPage, Upload, open_each
from text_recognizer.serving.work import Task

MAX_PAGES = 20  # of all files of a request together


@dataclass(frozen=True)
class Order:
    """How pages are read: all files together may have `most` pages. Printed lines are left out unless `printed`.

    Several pages of a format that holds one page in each file are refused, unless the answer is a zip.
    """

    served: Served
    task: Task
    kind: OutputFormat
    pages: PageSelection | None = None
    printed: bool = False
    most: int = MAX_PAGES
    zipped: bool = False


@dataclass(frozen=True)
class SentFile:
    """A file that a client sent. `read` returns its bytes, which are in memory only while its pages are read."""

    name: str
    read: Callable[[], bytes]

    @classmethod
    def of(cls, part: UploadFile) -> "SentFile":
        """Return a part of a form."""
        return cls(part.filename or "the picture", part.file.read)


@dataclass(frozen=True)
class Answered:
    """A page with its record. `content` is the page in the format asked for, if that is not JSON."""

    record: ReadPage | UnreadPage
    content: bytes = b""


def select_pages(pages: str | None) -> PageSelection | None:
    """Parse `?pages=`. Raises RequestError if it is not valid."""
    try:
        return PageSelection.parse(pages) if pages is not None else None
    except TextRecognizerError as error:
        refuse(error)


async def read_each(order: Order, files: Sequence[SentFile]) -> AsyncIterator[Answered]:
    """Yield all pages of all files as they are read.

    Of several files, one that cannot be read does not keep the others from being read: it has its problem.
    """
    count = 0
    for file in files:
        read = _read_file(order, file, order.most - count)
        try:
            while (page := await order.served.turns.take(partial(next, read, None))) is not None:
                count += 1
                yield page
        except RequestError as error:
            order.task.check()
            if len(files) == 1:
                raise
            count += 1
            yield Answered(UnreadPage(name=file.name, problem=error.problem))


def _read_file(order: Order, file: SentFile, most: int) -> Iterator[Answered]:
    """Yield the pages of a file as they are read. The file may have `most` pages."""
    order.task.check()
    upload = Upload(file.name, file.read())
    for opened in open_each(upload, order.pages):
        if isinstance(opened, DamagedPage):
            yield Answered(UnreadPage(name=upload.name, page=opened.number, problem=opened.problem))
            continue
        _require_few(order, opened, most)
        order.task.check()
        yield _read_page(order, opened)


def _require_few(order: Order, page: OpenedPage, most: int) -> None:
    """Refuse a file of more pages than there may be, before any of them is read."""
    wanted = len(order.pages.numbers(page.count, page.name)) if order.pages else page.count
    if wanted > most:
        what = f"{page.name} has {wanted:,} pages to read; all files together may have {order.most:,} pages"
        raise RequestError(422, what, "choose some with ?pages=1-20, or read it with `text-recognizer read`")
    if not order.zipped:
        require_joinable(order.kind, wanted)


def _read_page(order: Order, page: OpenedPage) -> Answered:
    recognizer = order.served.recognizer
    found = recognizer.read(page.rgb, order.printed, check=order.task.check).to_record()
    order.served.watch.add(found)
    record = ReadPage(**dict(found), name=page.name, page=page.number, pages=page.count, model=order.served.model)
    if order.kind == "json":
        return Answered(record)
    source = PictureSource(
        Path(page.name).name, page.rgb, page.number, page.count, model=recognizer.digest, runtime=recognizer.runtime
    )
    return Answered(record, write_page(found, source, order.kind))


def to_answer(kind: OutputFormat, model: ServedModel, answered: Sequence[Answered]) -> Response:
    """Return the answer that holds all pages. If none could be read, it is the problem of the first."""
    failed = [page.record.problem for page in answered if isinstance(page.record, UnreadPage)]
    if len(failed) == len(answered):
        return to_response(failed[0])
    if failed and kind != "json":
        fix = f"{failed[0].fix}; or ask for JSON, which has a page or a problem for each picture"
        return to_response(failed[0].model_copy(update={"fix": fix}))
    if kind != "json":
        return Response(_joined(kind, answered), media_type=MEDIA_TYPES[kind], headers={"Vary": "Accept"})
    records = tuple(page.record for page in answered)
    answer = records[0] if len(records) == 1 else ReadPages(pictures=records, model=model)
    return JSONResponse(answer.model_dump(mode="json"), headers={"Vary": "Accept"})


def require_joinable(kind: OutputFormat, pages: int) -> None:
    """Raise RequestError if an answer in this format cannot hold so many pages."""
    if pages > 1 and kind in SINGLE_PAGE:
        what = f"an answer in the format {kind} holds one page, but there are {pages:,}"
        raise RequestError(422, what, "choose one with ?pages=1, ask for JSON, text, Markdown or PDF, or POST to /jobs")


def _joined(kind: OutputFormat, answered: Sequence[Answered]) -> bytes:
    require_joinable(kind, len(answered))
    return join_pages([page.content for page in answered], kind)
