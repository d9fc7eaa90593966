"""A bad archive ends in one error that names the file and what to do, and leaves nothing behind."""

import io
import zipfile
from pathlib import Path

import pytest
from tests.sources import page_source

from text_recognizer.core.errors import DataError
from text_recognizer.validation import validate


def zipped(files: dict[str, bytes]) -> bytes:
    """Return a zip with these files."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


PAIR = {"iamdb/forms/a01-000.png": b"picture", "iamdb/xml/a01-000.xml": b"<form/>"}
# By what is wrong with an archive: its content, and what the error names besides the archive.
BAD = {
    "empty": (b"", "zip"),
    "a web page saved as a zip": (b"<!DOCTYPE html><html><body>Please log in</body></html>", "zip"),
    "the first half of a zip": (zipped(PAIR)[: len(zipped(PAIR)) // 2], "zip"),
    "a zip without its last bytes": (zipped(PAIR)[:-30], "zip"),
    "random bytes": (bytes(range(256)) * 8, "zip"),
    "a zip without files": (zipped({}), "forms/"),
    "a zip of other files": (zipped({"holiday/beach.jpg": b"sand"}), "forms/"),
    "labels without any picture": (zipped({"xml/a01-000.xml": b"<form/>"}), "forms/"),
    "no lists of splits": (zipped(PAIR), "task/trainset.txt"),
}


@pytest.mark.parametrize(("content", "named"), BAD.values(), ids=BAD.keys())
def test_a_bad_archive_is_one_clear_error_and_leaves_nothing(params, tmp_path, content, named):
    path = tmp_path / "iamdb.zip"
    path.write_bytes(content)

    with pytest.raises(DataError) as caught:
        validate([page_source(path)], params, tmp_path / "data_docs")

    assert str(path) in caught.value.what
    assert named in caught.value.what.replace(str(path), "")
    assert caught.value.fix
    assert list(tmp_path.iterdir()) == [path]


def missing(path: Path) -> None:
    assert not path.exists()


@pytest.mark.parametrize("make", [missing, Path.mkdir])
def test_a_missing_archive_and_a_folder_in_its_place_are_one_clear_error(params, tmp_path, make):
    path = tmp_path / "iamdb.zip"
    make(path)

    with pytest.raises(DataError, match=r"iamdb\.zip") as caught:
        validate([page_source(path)], params, tmp_path / "data_docs")

    assert caught.value.fix
    assert not (tmp_path / "data_docs").exists()
