"""Check and open the files that clients send."""

from collections.abc import Iterator, Sequence
from typing import NoReturn

from fastapi import HTTPException, UploadFile

from text_recognizer.core.errors import TextRecognizerError
from text_recognizer.pages.opening import OpenedPage, is_page_file, open_pages

KINDS = "send a picture (PNG, JPEG, TIFF, WebP, GIF, BMP, HEIC, AVIF) or a PDF"


def read_upload(part: UploadFile) -> tuple[str, bytes]:
    """Return the name and the bytes of a part. Raises HTTPException with status 415 if it is no picture and no PDF."""
    name, data = part.filename or "the picture", part.file.read()
    if not is_page_file(data):
        raise HTTPException(415, {"error": f"{name} is not a picture or a PDF that can be read", "fix": KINDS})
    return name, data


def decode_pages(data: bytes, name: str, numbers: Sequence[int] | None = None) -> Iterator[OpenedPage]:
    """Yield the pages of a file, upright. Each is decoded when it is asked for. `numbers` selects some, from 1.

    Raises HTTPException with status 422 if the file is damaged, has too large a page, or has no such page.
    """
    try:
        yield from open_pages(data, name, numbers)
    except TextRecognizerError as error:
        refuse(error)


def refuse(error: TextRecognizerError, status: int = 422) -> NoReturn:
    """Raise an HTTPException that says what was wrong and what to do."""
    raise HTTPException(status, {"error": error.what, "fix": error.fix}) from None
