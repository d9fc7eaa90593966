"""The endpoint /read: answer when all pages are read, or page by page as server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from io import BytesIO
from typing import Annotated

from fastapi import Query, Request
from starlette.responses import Response, StreamingResponse

from text_recognizer.core.output_formats import OutputFormat
from text_recognizer.core.schemas import Problem, Record, UnreadPage
from text_recognizer.serving.formats import EVENTS, choose_format, wants_events
from text_recognizer.serving.problems import RequestError, describe
from text_recognizer.serving.reading import Answered, Order, SentFile, read_each, select_pages, to_answer
from text_recognizer.serving.sent_files import SentFiles
from text_recognizer.serving.served import served_by
from text_recognizer.serving.work import Task, finish

Format = Annotated[OutputFormat | None, Query(description="of the answer; without it the header Accept decides")]
Pages = Annotated[str | None, Query(max_length=100, description="pages of each file, such as 1,3-5; without it, all")]
Printed = Annotated[bool, Query(description="whether printed lines are read too; their `kind` is `printed`")]


async def read(
    request: Request, sent: SentFiles, format: Format = None, pages: Pages = None, printed: Printed = False
) -> Response:
    """Read pictures, and files of several pages such as PDFs.

    They are parts of a form, the body itself, or base64 in JSON.

    The answer to one page is that page. The answer to several pages holds them as `pictures`, in order; a file or a
    page that cannot be read has its `problem` there. Points and boxes are in pixels of the upright picture, origin top
    left; boxes are `(x, y, width, height)`. Confidences are in 0..1.

    With `Accept: text/event-stream`, the answer is a stream of server-sent events: `line` for each line, `page` for
    each page after its lines, `problem` for what cannot be read, and `end`.
    """
    served = served_by(request)
    task = Task(served.seconds)
    accept = request.headers.get("accept", "")
    if format is None and wants_events(accept):
        order = Order(served, task, "json", select_pages(pages), printed)
        # The files of the form are closed before the answer is sent.
        files = [SentFile(file.name, BytesIO(file.read()).read) for file in map(SentFile.of, sent)]
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no", "Vary": "Accept"}
        return StreamingResponse(_events(order, files), media_type=EVENTS, headers=headers)
    order = Order(served, task, choose_format(format, accept), select_pages(pages), printed)
    answered = await finish(request, task, _read_all(order, list(map(SentFile.of, sent))))
    return to_answer(order.kind, served.model, answered)


async def _read_all(order: Order, files: Sequence[SentFile]) -> list[Answered]:
    return [page async for page in read_each(order, files)]


async def _events(order: Order, files: Sequence[SentFile]) -> AsyncIterator[str]:
    """Yield the events of a request. The work ends early if the client leaves, or if the time is over."""
    count, pages = 0, read_each(order, files)
    try:
        while page := await asyncio.wait_for(anext(pages, None), order.task.seconds_left):
            for event in _events_of(count, page):
                yield event
            count += 1
        yield _event("end", json.dumps({"pages": count}))
    except TimeoutError:
        yield _problem(order.task.out_of_time().problem)
    except RequestError as error:
        yield _problem(error.problem)
    except Exception as error:
        yield _problem(describe(500, f"the request failed ({type(error).__name__})"))
        raise
    finally:
        order.task.stop()


def _events_of(place: int, page: Answered) -> list[str]:
    """Return the events of a page. `place` counts the pages of the request from 0."""
    record = page.record
    if isinstance(record, UnreadPage):
        return [_problem(record)]
    lines = [json.dumps({"picture": place, **line.model_dump(mode="json")}) for line in record.lines]
    return [*(_event("line", line) for line in lines), _event("page", record.model_dump_json())]


def _problem(record: Problem | Record) -> str:
    return _event("problem", record.model_dump_json())


def _event(name: str, data: str) -> str:
    return f"event: {name}\ndata: {data}\n\n"
