"""Check and decode the pictures that clients send."""

import io
from typing import NoReturn

import numpy as np
from fastapi import HTTPException, UploadFile
from PIL import Image, UnidentifiedImageError

from text_recognizer.core.errors import TextRecognizerError
from text_recognizer.pages.opening import FORMATS, open_picture


def read_upload(part: UploadFile) -> tuple[str, bytes]:
    """Return the name and the bytes of a part. Raises HTTPException with status 415 if it is not a picture."""
    name, data = part.filename or "the picture", part.file.read()
    _require_picture(data, name)
    return name, data


def decode_picture(data: bytes, name: str) -> np.ndarray:
    """Return the upright picture as uint8 grey (H, W).

    Raises HTTPException with status 422 if the picture is damaged or too large.
    """
    try:
        return open_picture(data, name)
    except TextRecognizerError as error:
        refuse(error)


def refuse(error: TextRecognizerError, status: int = 422) -> NoReturn:
    """Raise an HTTPException that says what was wrong and what to do."""
    raise HTTPException(status, {"error": error.what, "fix": error.fix}) from None


def _require_picture(data: bytes, name: str) -> None:
    """Refuse what is not a picture with status 415. `open_picture` explains why a picture cannot be used (422).

    Pillow knows more formats, and some start other programs (EPS starts Ghostscript). Those are never tried on data
    from a client.
    """
    try:
        Image.open(io.BytesIO(data), formats=FORMATS).close()
    except UnidentifiedImageError:
        fix = "send a PNG, JPEG, TIFF or WebP file"
        raise HTTPException(415, {"error": f"{name} is not a picture that can be read", "fix": fix}) from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return
