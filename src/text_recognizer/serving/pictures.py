"""The pictures that strangers send: told apart from what is none, and opened."""

import io
from typing import NoReturn

import numpy as np
from fastapi import HTTPException, UploadFile
from PIL import Image, UnidentifiedImageError

from text_recognizer.errors import TextRecognizerError
from text_recognizer.images import FORMATS, open_picture


def received(part: UploadFile) -> tuple[str, bytes]:
    """The name and the bytes of a part, which are of a picture; raises HTTPException (415) where they are not."""
    name, data = part.filename or "the picture", part.file.read()
    _require_picture(data, name)
    return name, data


def opened(data: bytes, name: str) -> np.ndarray:
    """The picture as uint8 grey (H, W), upright; raises HTTPException (422) where it is broken or too large."""
    try:
        return open_picture(data, name)
    except TextRecognizerError as error:
        refuse(error)


def refuse(error: TextRecognizerError, status: int = 422) -> NoReturn:
    raise HTTPException(status, {"error": error.what, "fix": error.fix}) from None


def _require_picture(data: bytes, name: str) -> None:
    """Tells what is no picture at all (415) from a picture that cannot be used, which `open_picture` explains (422).

    Pillow knows more formats, and some of them run other programs (EPS runs Ghostscript): not on a stranger's bytes.
    """
    try:
        Image.open(io.BytesIO(data), formats=FORMATS).close()
    except UnidentifiedImageError:
        fix = "give a PNG, JPEG, TIFF or WebP"
        raise HTTPException(415, {"error": f"{name} is not a picture that can be read", "fix": fix}) from None
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return
