"""The endpoint /read: read the pictures and PDFs of a request, page by page, and answer in the format asked for."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

from fastapi import File, Query, Request, UploadFile
from starlette.responses import JSONResponse, Response

from text_recognizer.core.errors import TextRecognizerError
from text_recognizer.core.output_formats import SINGLE_PAGE, OutputFormat
from text_recognizer.core.schemas import ReadPage, ReadPages, UnreadPage
from text_recognizer.exporting import PictureSource, join_pages, write_page
from text_recognizer.pages.opening import OpenedPage
from text_recognizer.pages.page_selection import PageSelection
from text_recognizer.serving.formats import MEDIA_TYPES, choose_format
from text_recognizer.serving.problems import RequestError, refuse, to_response
from text_recognizer.serving.served import Served, served_by
from text_recognizer.serving.uploads import DamagedPage, Upload, open_each
from text_recognizer.serving.work import Task, finish

MAX_PICTURES = 8  # files of a request
MAX_PAGES = 20  # of all files of a request together
Pictures = Annotated[list[UploadFile], File(description=f"1 to {MAX_PICTURES} pictures or PDFs")]
Format = Annotated[OutputFormat | None, Query(description="of the answer; without it the header Accept decides")]
Pages = Annotated[str | None, Query(max_length=100, description="pages of each file, such as 1,3-5; without it, all")]


@dataclass(frozen=True)
class Order:
    """How the pages of a request are read."""

    served: Served
    task: Task
    kind: OutputFormat
    pages: PageSelection | None


@dataclass(frozen=True)
class Answered:
    """A page with its record. `content` is the page in the format asked for, if that is not JSON."""

    record: ReadPage | UnreadPage
    content: bytes = b""


async def read(request: Request, picture: Pictures, format: Format = None, pages: Pages = None) -> Response:
    """Read the parts named `picture`: pictures, and files of several pages such as PDFs.

    The answer to one page is that page. The answer to several pages holds them as `pictures`, in order; a file or a
    page that cannot be read has its `problem` there. Points and boxes are in pixels of the upright picture, origin top
    left; boxes are `(x, y, width, height)`. Confidences are in 0..1. Printed lines are left out.
    """
    if len(picture) > MAX_PICTURES:
        raise RequestError(422, f"{len(picture)} pictures in one request", f"send at most {MAX_PICTURES}")
    served = served_by(request)
    task = Task(served.seconds)
    order = Order(served, task, choose_format(format, request.headers.get("accept", "")), _selected(pages))
    answered = await finish(request, task, _read_all(order, picture))
    return _to_response(order, answered)


def _selected(pages: str | None) -> PageSelection | None:
    try:
        return PageSelection.parse(pages) if pages is not None else None
    except TextRecognizerError as error:
        refuse(error)


async def _read_all(order: Order, parts: list[UploadFile]) -> list[Answered]:
    """Read all pages of all files. Of several files, one that cannot be read does not keep others from being read."""
    answered: list[Answered] = []
    for part in parts:
        read = _read_file(order, part, MAX_PAGES - len(answered))
        try:
            while (page := await order.served.turns.take(partial(next, read, None))) is not None:
                answered.append(page)
        except RequestError as error:
            order.task.check()
            if len(parts) == 1:
                raise
            name = part.filename or "the picture"
            answered.append(Answered(UnreadPage(name=name, problem=error.problem)))
    return answered


def _read_file(order: Order, part: UploadFile, most: int) -> Iterator[Answered]:
    """Yield the pages of a file as they are read. The file may have `most` pages."""
    order.task.check()
    upload = Upload.of(part)
    for opened in open_each(upload, order.pages):
        if isinstance(opened, DamagedPage):
            yield Answered(UnreadPage(name=upload.name, page=opened.number, problem=opened.problem))
            continue
        _require_few(order, opened, most)
        order.task.check()
        yield _read_page(order, opened)


def _require_few(order: Order, page: OpenedPage, most: int) -> None:
    """Refuse a file of more pages than a request may have, before any of them is read."""
    wanted = len(order.pages.numbers(page.count, page.name)) if order.pages else page.count
    if wanted > most:
        what = f"{page.name} has {wanted:,} pages to read; a request may have {MAX_PAGES} pages in all its files"
        raise RequestError(422, what, "choose some with ?pages=1-20, or read it with `text-recognizer read`")
    if wanted > 1 and order.kind in SINGLE_PAGE:
        what = f"an answer in the format {order.kind} holds one page, but {page.name} has {wanted:,}"
        raise RequestError(422, what, "choose one with ?pages=1, or ask for JSON, text, Markdown or PDF")


def _read_page(order: Order, page: OpenedPage) -> Answered:
    recognizer = order.served.recognizer
    found = recognizer.read(page.rgb, check=order.task.check).to_record()
    record = ReadPage(**dict(found), name=page.name, page=page.number, pages=page.count, model=order.served.model)
    if order.kind == "json":
        return Answered(record)
    source = PictureSource(
        Path(page.name).name, page.rgb, page.number, page.count, model=recognizer.digest, runtime=recognizer.runtime
    )
    return Answered(record, write_page(found, source, order.kind))


def _to_response(order: Order, answered: list[Answered]) -> Response:
    failed = [page.record.problem for page in answered if isinstance(page.record, UnreadPage)]
    if len(failed) == len(answered):
        return to_response(failed[0])
    if failed and order.kind != "json":
        fix = f"{failed[0].fix}; or ask for JSON, which has a page or a problem for each picture"
        return to_response(failed[0].model_copy(update={"fix": fix}))
    if order.kind != "json":
        return Response(_joined(order.kind, answered), media_type=MEDIA_TYPES[order.kind], headers={"Vary": "Accept"})
    records = tuple(page.record for page in answered)
    answer = records[0] if len(records) == 1 else ReadPages(pictures=records, model=order.served.model)
    return JSONResponse(answer.model_dump(mode="json"), headers={"Vary": "Accept"})


def _joined(kind: OutputFormat, answered: list[Answered]) -> bytes:
    try:
        return join_pages([page.content for page in answered], kind)
    except TextRecognizerError:
        what = f"an answer in the format {kind} holds one page, but there are {len(answered)}"
        raise RequestError(422, what, "send one page, or ask for JSON, text, Markdown or PDF") from None
