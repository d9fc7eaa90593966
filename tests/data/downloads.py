"""What the tests of downloads share: a body, a page that is no archive, and what must hold after a refusal."""

import random

import pytest

from text_recognizer.data.download import download
from text_recognizer.errors import DataError

BODY = random.Random(1).randbytes(300_000)
PAGE = b"\xef\xbb\xbf\r\n <!DOCTYPE html><html>Please sign in</html>"


def left(out):
    """Names of what lies in the folder, hidden files included."""
    return sorted(path.name for path in out.parent.iterdir()) if out.parent.exists() else []


def refused(address, out, kind=DataError, **how):
    with pytest.raises(kind) as caught:
        download(address, out, **how)
    assert not out.exists()
    return caught.value
