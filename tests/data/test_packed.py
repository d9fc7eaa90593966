"""Packed splits: what goes in comes out, and a damaged one is refused."""

import numpy as np
import pytest

from text_recognizer.data.packed import PackedSplit, Page
from text_recognizer.errors import DataError

PAGES = [("to be", "or not"), ("a sea",)]


@pytest.fixture
def folder(printed_split, tmp_path):
    printed_split(PAGES).save(tmp_path, "train")
    return tmp_path


def test_pictures_and_labels_come_back(folder, printed_split):
    split, original = PackedSplit.open(folder, "train"), printed_split(PAGES)
    np.testing.assert_array_equal(split.canvases, original.canvases)
    assert split.pages == original.pages
    assert split.texts == ["to be\nor not", "a sea"]
    assert len(split) == 2


def test_pictures_are_mapped_and_not_read(folder):
    assert isinstance(PackedSplit.open(folder, "train").canvases, np.memmap)


def test_equal_splits_are_equal_bytes(folder, printed_split, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    printed_split(PAGES).save(other, "train")
    for name in ("train.npy", "train.jsonl"):
        assert (other / name).read_bytes() == (folder / name).read_bytes()


@pytest.mark.parametrize("name", ["Ödön", "line\u2028break", "next\x85line", 'a "quote"\n'])
def test_ids_and_writers_of_any_characters_come_back(tmp_path, name):
    page = Page(name, name, "text", ((1, 2, 3, 4),))
    PackedSplit(np.zeros((1, 32, 32), dtype=np.uint8), (page,)).save(tmp_path, "test")
    assert PackedSplit.open(tmp_path, "test").pages == (page,)


@pytest.mark.parametrize("name", ["train.npy", "train.jsonl"])
def test_a_missing_file_is_named_with_the_command_that_makes_it(folder, name):
    (folder / name).unlink()
    with pytest.raises(DataError, match=f"{name} does not exist") as caught:
        PackedSplit.open(folder, "train")
    assert "text-recognizer preprocess" in caught.value.fix


@pytest.mark.parametrize(
    ("name", "spoil"),
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
def test_a_damaged_pack_is_refused_by_name(folder, name, spoil):
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(spoil(content))
    with pytest.raises(DataError, match="train") as caught:
        PackedSplit.open(folder, "train")
    assert "text-recognizer preprocess" in caught.value.fix


@pytest.mark.parametrize("canvases", [np.zeros(2, np.uint8), np.zeros((2, 4, 4), np.float32), np.uint8(2)])
def test_pictures_of_another_shape_or_kind_are_refused(folder, canvases):
    np.save(folder / "train.npy", canvases)
    with pytest.raises(DataError, match="is damaged"):
        PackedSplit.open(folder, "train")
