"""Turn whatever a decoder raises on a damaged or hostile file into an error that people can act on."""

from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image, UnidentifiedImageError

from text_recognizer.core.errors import DataError

KINDS = "PNG, JPEG, TIFF, WebP, GIF, BMP, HEIC, AVIF or PDF"
DETAIL = 200  # characters of a decoder's own message that are shown


@contextmanager
def decoding(label: str, max_pixels: int) -> Iterator[None]:
    """Raise DataError, with `label` as the name of the file, for any exception of the block.

    A decoder that is given damaged data raises nearly anything: TypeError, KeyError, struct.error, OverflowError. This
    is the only place that has to know. `max_pixels` is the limit to name if Pillow refuses a picture for its size.
    """
    try:
        yield
    except DataError:
        raise
    except Exception as error:  # noqa: BLE001 - see above
        raise _explain(error, label, max_pixels) from None


def too_large(label: str, max_pixels: int) -> DataError:
    """Return the error for a page of more than `max_pixels` pixels."""
    return DataError(f"{label} has more than {max_pixels:,} pixels", "scale it down; 150 to 300 dpi are enough")


def _explain(error: Exception, label: str, max_pixels: int) -> DataError:
    match error:
        case FileNotFoundError():
            return DataError(f"{label} does not exist", "check the name")
        case IsADirectoryError():
            return DataError(f"{label} is a folder", "give the files in it")
        case PermissionError():
            return DataError(f"{label} may not be read", "change its permissions, or copy it")
        case UnidentifiedImageError():
            return DataError(f"{label} is not a picture or a PDF that can be read", f"give a {KINDS}")
        case Image.DecompressionBombError():
            return too_large(label, max_pixels)
        case MemoryError():
            return DataError(f"{label} needs more memory than there is", "scale it down, or close other programs")
    return DataError(f"{label} is damaged: {_detail(error)}", "save or send it again, or convert it to PNG")


def _detail(error: Exception) -> str:
    """Return the decoder's message as one printable line, or the kind of error if there is no message."""
    line = "".join(letter if letter.isprintable() else " " for letter in str(error))
    return " ".join(line.split())[:DETAIL] or type(error).__name__
