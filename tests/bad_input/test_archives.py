"""Archives that are none end in one error that names the file and the remedy, and leave nothing behind."""

import io
import zipfile
from pathlib import Path

import pytest

from text_recognizer import config
from text_recognizer.errors import DataError
from text_recognizer.validation import validate

ROOT = Path(__file__).resolve().parents[2]


def zipped(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


PAIR = {"iamdb/forms/a01-000.png": b"picture", "iamdb/xml/a01-000.xml": b"<form/>"}
BAD = {
    "empty": (b"", "not a whole zip"),
    "a web page saved as a zip": (b"<!DOCTYPE html><html><body>Please log in</body></html>", "not a whole zip"),
    "a zip cut in half": (zipped(PAIR)[: len(zipped(PAIR)) // 2], "not a whole zip"),
    "a zip without its last bytes": (zipped(PAIR)[:-30], "not a whole zip"),
    "random bytes": (bytes(range(256)) * 8, "not a whole zip"),
    "a zip without files": (zipped({}), "holds no forms/ and xml/"),
    "a zip of something else": (zipped({"holiday/beach.jpg": b"sand"}), "holds no forms/ and xml/"),
    "labels without any picture": (zipped({"xml/a01-000.xml": b"<form/>"}), "holds no forms/ and xml/"),
    "no lists of splits": (zipped(PAIR), "has no task/trainset.txt"),
}


@pytest.mark.parametrize(("content", "what"), BAD.values(), ids=BAD.keys())
def test_a_bad_archive_is_one_clear_error_and_leaves_nothing(tmp_path, content, what):
    path = tmp_path / "iamdb.zip"
    path.write_bytes(content)

    with pytest.raises(DataError, match=what) as caught:
        validate(path, config.load(ROOT / "params.yaml"), tmp_path / "data_docs")

    assert str(path) in caught.value.what
    assert caught.value.fix
    assert list(tmp_path.iterdir()) == [path]


def missing(path: Path) -> None:
    assert not path.exists()


@pytest.mark.parametrize("make", [missing, Path.mkdir])
def test_no_file_at_the_archive_s_place_is_one_clear_error(tmp_path, make):
    path = tmp_path / "iamdb.zip"
    make(path)

    with pytest.raises(DataError, match=r"iamdb\.zip") as caught:
        validate(path, config.load(ROOT / "params.yaml"), tmp_path / "data_docs")

    assert caught.value.fix
    assert not (tmp_path / "data_docs").exists()
