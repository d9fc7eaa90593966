"""Packed splits are read as they were written, and a damaged one is refused."""

import numpy as np
import pytest

from text_recognizer.core.errors import DataError
from text_recognizer.core.geometry import Box
from text_recognizer.corpora.packed_pages import PackedPage, PackedSplit

PAGES = [("to be", "or not"), ("a sea",)]


@pytest.fixture
def folder(printed_split, tmp_path):
    printed_split(PAGES).save(tmp_path, "train")
    return tmp_path


def test_pictures_and_labels_are_read_as_they_were_written(folder, printed_split):
    split, original = PackedSplit.open(folder, "train"), printed_split(PAGES)
    np.testing.assert_array_equal(split.canvases, original.canvases)
    assert split.pages == original.pages
    assert all(isinstance(box, Box) for page in split.pages for box in page.boxes)
    assert split.texts == ["to be\nor not", "a sea"]
    assert len(split) == 2


def test_pictures_are_memory_mapped(folder):
    assert isinstance(PackedSplit.open(folder, "train").canvases, np.memmap)


def test_equal_splits_have_equal_bytes(folder, printed_split, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    printed_split(PAGES).save(other, "train")
    for name in ("train.npy", "train.jsonl"):
        assert (other / name).read_bytes() == (folder / name).read_bytes()


@pytest.mark.parametrize("name", ["Ödön", "line\u2028break", "next\x85line", 'a "quote"\n'])
def test_ids_and_writers_may_have_any_characters(tmp_path, name):
    page = PackedPage(name, name, "text", (Box(1, 2, 3, 4),))
    PackedSplit(np.zeros((1, 32, 32), dtype=np.uint8), (page,)).save(tmp_path, "test")
    assert PackedSplit.open(tmp_path, "test").pages == (page,)


@pytest.mark.parametrize("name", ["train.npy", "train.jsonl"])
def test_a_missing_file_is_named_with_the_command_that_makes_it(folder, name):
    (folder / name).unlink()
    with pytest.raises(DataError) as caught:
        PackedSplit.open(folder, "train")
    assert name in caught.value.what
    assert "text-recognizer preprocess" in caught.value.fix


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("train.npy", lambda _: b""),
        ("train.npy", lambda content: content[:-100]),
        ("train.npy", lambda content: content[:20]),
        ("train.npy", lambda content: b"text" + content),
        ("train.jsonl", lambda _: b""),
        ("train.jsonl", lambda content: content[:-20]),
        ("train.jsonl", lambda content: b"\xff\xfe" + content),
        ("train.jsonl", lambda content: content.replace(b'"text"', b'"test"')),
        ("train.jsonl", lambda _: b"[1]\n[2]\n"),
        ("train.jsonl", lambda content: content.splitlines()[0]),
        ("train.jsonl", lambda content: content.replace(b"[[", b"[7, [")),
    ],
)
def test_a_damaged_split_is_refused_by_name(folder, name, damage):
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(damage(content))
    with pytest.raises(DataError) as caught:
        PackedSplit.open(folder, "train")
    assert str(folder / "train") in caught.value.what
    assert "text-recognizer preprocess" in caught.value.fix


@pytest.mark.parametrize("canvases", [np.zeros(2, np.uint8), np.zeros((2, 4, 4), np.float32), np.uint8(2)])
def test_pictures_of_another_shape_or_type_are_refused(folder, canvases):
    np.save(folder / "train.npy", canvases)
    with pytest.raises(DataError, match="train"):
        PackedSplit.open(folder, "train")
