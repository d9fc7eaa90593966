"""Take the files out of a request: the parts of a form, a raw body, or base64 in JSON."""

import base64
import binascii
from collections.abc import AsyncIterator
from io import BytesIO
from typing import Annotated, Any

from fastapi import Depends, Request, UploadFile
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette import datastructures
from starlette.requests import ClientDisconnect

from text_recognizer.serving.problems import RequestError

MAX_PICTURES = 8  # files of a request
FORM, JSON = "multipart/form-data", "application/json"


class EncodedFile(BaseModel):
    """A file in JSON: its bytes in base64, and its name."""

    model_config = ConfigDict(extra="forbid")

    data: str
    name: str = "the picture"


class EncodedFiles(BaseModel):
    """The body of a request in JSON."""

    model_config = ConfigDict(extra="forbid")

    pictures: list[EncodedFile] = Field(min_length=1)


async def sent_files(request: Request) -> AsyncIterator[list[UploadFile]]:
    """Yield the files of a request: 1 to MAX_PICTURES.

    The type of the body decides. Of a form, each part that is a file is taken, whatever its name; JSON is an
    EncodedFiles; any other body is the file itself, whatever type a client declares. Raises RequestError if there is no
    file, or if there are too many.
    """
    try:
        files = await _files_of(request)
    except ClientDisconnect:
        raise RequestError(400, "the request ended before its body did") from None
    try:
        if len(files) > MAX_PICTURES:
            raise RequestError(422, f"{len(files)} pictures in one request", f"send at most {MAX_PICTURES}")
        if not files:
            raise RequestError(422, "the request holds no file")
        yield files
    finally:
        for file in files:
            await file.close()


async def _files_of(request: Request) -> list[UploadFile]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == FORM:
        form = await request.form()
        return [_upload(part) for _, part in form.multi_items() if isinstance(part, datastructures.UploadFile)]
    body = await request.body()
    if kind == JSON:
        return _decoded(body)
    return [UploadFile(BytesIO(body), size=len(body))] if body else []


def _upload(part: datastructures.UploadFile) -> UploadFile:
    return UploadFile(part.file, size=part.size, filename=part.filename, headers=part.headers)


def _decoded(body: bytes) -> list[UploadFile]:
    """Return the files of a body in JSON. Raises RequestError if it is not an EncodedFiles, or not in base64."""
    fix = 'send {"pictures": [{"name": "page.png", "data": "..."}]}, in base64; or a form with a part named \'picture\''
    try:
        sent = EncodedFiles.model_validate_json(body).pictures
        contents = [base64.b64decode(file.data, validate=True) for file in sent]
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"])) or "the body"
        raise RequestError(422, f"the JSON is not valid: {place}: {first['msg']}", fix) from None
    except binascii.Error as error:
        raise RequestError(422, f"a picture is not in base64: {error}", fix) from None
    return [
        UploadFile(BytesIO(content), size=len(content), filename=file.name)
        for file, content in zip(sent, contents, strict=True)
    ]


SentFiles = Annotated[list[UploadFile], Depends(sent_files)]
# What /openapi.json says about the body of a request that `sent_files` reads.
BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            FORM: {
                "schema": {
                    "type": "object",
                    "required": ["picture"],
                    "properties": {
                        "picture": {
                            "type": "array",
                            "description": f"1 to {MAX_PICTURES} pictures or PDFs",
                            "items": {"type": "string", "contentMediaType": "application/octet-stream"},
                        }
                    },
                }
            },
            JSON: {
                "schema": {
                    "type": "object",
                    "required": ["pictures"],
                    "properties": {"pictures": {"type": "array", "items": EncodedFile.model_json_schema()}},
                }
            },
            "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
        },
    }
}
