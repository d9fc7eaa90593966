"""What the tests of downloads share: a file, a web page, and the checks after a failure."""

import random

import pytest

from text_recognizer.acquisition.download import download
from text_recognizer.core.errors import DataError

BODY = random.Random(1).randbytes(300_000)
PAGE = b"\xef\xbb\xbf\r\n <!DOCTYPE html><html>Please sign in</html>"


def names_beside(out):
    """Return the names in the folder of `out`, hidden files included."""
    return sorted(path.name for path in out.parent.iterdir()) if out.parent.exists() else []


def failure(address, out, kind=DataError, **options):
    """Download what must fail with exactly this type of error; return the error."""
    with pytest.raises(kind) as caught:
        download(address, out, **options)
    assert caught.type is kind
    assert not out.exists()
    return caught.value
