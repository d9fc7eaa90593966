"""The endpoints /export and /preview: a page in another format, and its picture for browsers that cannot open it."""

import re
from functools import partial
from io import BytesIO
from pathlib import PurePath
from typing import Annotated

from fastapi import File, Form, Query, Request, UploadFile
from PIL import Image
from pydantic import ValidationError
from starlette.responses import Response

from text_recognizer.core.geometry import Box
from text_recognizer.core.output_formats import OutputFormat
from text_recognizer.core.schemas import Line, Page, ReadPage, Word
from text_recognizer.exporting import PictureSource, write_page
from text_recognizer.pages.opening import MAX_PAGES
from text_recognizer.serving.formats import MEDIA_TYPES
from text_recognizer.serving.problems import RequestError
from text_recognizer.serving.served import served_by
from text_recognizer.serving.uploads import Upload
from text_recognizer.serving.work import Task, finish

PREVIEW_SIDE = 2000


async def export(
    request: Request,
    page: Annotated[str, Form(description="JSON: a page as /read answers it, perhaps with other lines")],
    format: Annotated[OutputFormat, Query(description="of the answer")],
    picture: Annotated[UploadFile | None, File(description="the file of the page; only a PDF needs it")] = None,
) -> Response:
    """Write a page in another format. Nothing is read again: the lines are those that are sent."""
    record = _parse(page)
    served = served_by(request)
    task = Task(served.seconds)
    upload = Upload.of(picture) if picture and format == "pdf" else None
    content = await finish(request, task, served.turns.take(partial(_write, record, format, upload)))
    return Response(content, media_type=MEDIA_TYPES[format])


async def preview(
    request: Request,
    picture: Annotated[UploadFile, File(description="a picture or a PDF")],
    page: Annotated[int, Form(ge=1, le=MAX_PAGES, description="which page of the file, from 1")] = 1,
) -> Response:
    """Return a page of a file as a JPEG of at most 2000 pixels a side."""
    served = served_by(request)
    task = Task(served.seconds)
    content = await finish(request, task, served.turns.take(partial(_shrunk, task, Upload.of(picture), page)))
    return Response(content, media_type="image/jpeg")


def _shrunk(task: Task, upload: Upload, page: int) -> bytes:
    task.check()
    picture = Image.fromarray(upload.page(page).rgb)
    picture.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
    stream = BytesIO()
    picture.save(stream, "JPEG", quality=80)
    return stream.getvalue()


def _write(record: ReadPage, kind: OutputFormat, upload: Upload | None) -> bytes:
    if kind == "pdf" and upload is None:
        raise RequestError(422, "a PDF needs the picture", "send it in a part named 'picture'")
    pixels = upload.page(record.page).rgb if upload else None
    model, name = record.model, PurePath(record.name).name
    source = PictureSource(name, pixels, record.page, record.pages, model=model.digest, runtime=model.runtime)
    changed = {"lines": tuple(map(_with_words, record.lines))}
    return write_page(
        Page(**{name: changed.get(name, getattr(record, name)) for name in Page.model_fields}), source, kind
    )


def _with_words(line: Line) -> Line:
    """Give a line that a person wrote the boxes of its words: each has a share of the line by its characters."""
    if " ".join(word.text for word in line.words) == line.text:
        return line
    words, box, share = [], line.box, line.box.width / max(1, len(line.text))
    for match in re.finditer(r"\S+", line.text):
        left, right = (round(box.x + place * share) for place in match.span())
        words.append(Word(text=match[0], confidence=line.confidence, box=Box(left, box.y, right - left, box.height)))
    return line.model_copy(update={"words": tuple(words)})


def _parse(page: str) -> ReadPage:
    try:
        return ReadPage.model_validate_json(page)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the field"
        raise RequestError(
            422, f"the page is not valid: {where}: {first['msg']}", "send it as /read answers it"
        ) from None
