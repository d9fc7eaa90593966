"""EMNIST from its publisher's archive, its synthetic stand-in, and lines composed of either."""

import gzip
import struct
import zipfile

import numpy as np
import pytest
import torch

from text_recognizer.acquisition.emnist_files import (
    CLASSES,
    REAL,
    STAND_IN,
    balanced,
    draw_stand_in,
    load_characters,
    parse_idx,
)
from text_recognizer.core.charset import CHARSET, INDEX
from text_recognizer.core.errors import DataError
from text_recognizer.data import EMNIST, EMNISTLines
from text_recognizer.data.emnist_lines import sentences

pytestmark = pytest.mark.filterwarnings("ignore:EMNIST is not here")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """The folder of a small stand-in."""
    folder = tmp_path_factory.mktemp("emnist")
    draw_stand_in(folder, (5, 2))
    return folder


@pytest.fixture
def lines(drawn):
    def make(**settings):
        module = EMNISTLines(**{"folder": drawn, "num_train": 40, "num_val": 5, "num_test": 5} | settings)
        module.prepare_data()
        module.setup()
        return module

    return make


def idx(array):
    head = struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape)
    return gzip.compress(head + array.tobytes())


def published(path, change=None):
    """Write a small gzip.zip of EMNIST: every class, and columns before rows, as its publisher has it."""
    files = {}
    for part, each in (("train", 4), ("test", 2)):
        labels = np.repeat(np.arange(62, dtype=np.uint8), each)
        images = np.zeros((len(labels), 28, 28), dtype=np.uint8)
        for index, label in enumerate(labels):
            images[index, 5, : label % 28] = 200 + index % each  # a row of its own length, in the transposed picture
        files[f"gzip/emnist-byclass-{part}-images-idx3-ubyte.gz"] = idx(images)
        files[f"gzip/emnist-byclass-{part}-labels-idx1-ubyte.gz"] = idx(labels)
    if change:
        change(files)
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


# --- EMNIST itself


def test_emnist_is_read_upright_from_its_archive(tmp_path):
    source = published(tmp_path / "gzip.zip")
    module = EMNIST(source=str(source), folder=tmp_path / "data")
    module.prepare_data()
    module.setup()
    assert [path.name for path in (tmp_path / "data").iterdir()] == [REAL]
    assert not module.is_stand_in
    assert len(module.data_train) + len(module.data_val) == 4 * 62
    for ink, y in module.data_test:
        label = CHARSET[y]
        assert torch.nonzero(ink[0])[:, 1].unique().tolist() == ([5] if CLASSES.index(label) % 28 else [])


def test_emnist_on_disk_is_not_fetched_again_and_needs_no_source(tmp_path):
    source = published(tmp_path / "gzip.zip")
    EMNIST(source=str(source), folder=tmp_path).prepare_data()
    source.unlink()
    EMNIST(source=str(source), folder=tmp_path).prepare_data()
    assert not EMNIST(folder=tmp_path).is_stand_in


def without_labels(files):
    del files["gzip/emnist-byclass-test-labels-idx1-ubyte.gz"]


def too_short(files):
    files["gzip/emnist-byclass-test-labels-idx1-ubyte.gz"] = idx(np.zeros(3, dtype=np.uint8))


def cut(files):
    files["gzip/emnist-byclass-train-images-idx3-ubyte.gz"] = files["gzip/emnist-byclass-train-images-idx3-ubyte.gz"][
        :-9
    ]


def not_idx(files):
    files["gzip/emnist-byclass-train-images-idx3-ubyte.gz"] = gzip.compress(b"\0\0\x0d\x01\0\0\0\0")


@pytest.mark.parametrize(
    ("change", "value"),
    [
        (without_labels, "emnist-byclass-test-labels-idx1-ubyte.gz"),
        (too_short, "test: pictures"),
        (cut, "end-of-stream"),
        (not_idx, "00000d01"),
    ],
)
def test_an_archive_that_is_not_emnist_is_refused_by_what_is_wrong(tmp_path, change, value):
    source = published(tmp_path / "gzip.zip", change)
    with pytest.raises(DataError) as refused:
        EMNIST(source=str(source), folder=tmp_path / "data").prepare_data()
    assert value in refused.value.what
    assert list((tmp_path / "data").iterdir()) == []


def test_a_download_with_another_digest_is_refused(tmp_path, monkeypatch):
    source = published(tmp_path / "gzip.zip")
    monkeypatch.setattr("text_recognizer.acquisition.emnist_files.NIST_ADDRESS", str(source))
    with pytest.raises(DataError) as refused:
        EMNIST(source="nist", folder=tmp_path).prepare_data()
    assert "58c8d27c78d21e728a6bc7b3cc06412e" in refused.value.what


def test_a_class_has_at_most_the_mean_number_of_samples():
    labels = np.array([0] * 90 + [1] * 6 + [2] * 54)
    chosen = labels[balanced(labels)]
    assert np.bincount(chosen).tolist() == [50, 6, 50]


def test_the_idx_format_is_read():
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    assert np.array_equal(parse_idx(gzip.decompress(idx(array))), array)


# --- the stand-in


def test_the_stand_in_has_every_class_in_each_part(drawn):
    for ink, ids in load_characters(drawn / STAND_IN).values():
        assert {CHARSET[index] for index in ids} == set(CLASSES)
        assert ink.shape[1:] == (28, 28)
        assert all(24 >= np.ptp(np.nonzero(picture), axis=1).max() + 1 >= 23 for picture in ink)


def test_the_stand_in_is_always_the_same(drawn, tmp_path):
    draw_stand_in(tmp_path, (5, 2))
    first, again = (load_characters(folder / STAND_IN) for folder in (drawn, tmp_path))
    assert all(np.array_equal(first[part][0], again[part][0]) for part in first)


def test_the_stand_in_is_named_in_a_warning_and_in_the_description(drawn):
    module = EMNIST(folder=drawn)
    with pytest.warns(UserWarning, match="EMNIST is not here"):
        module.setup()
    assert "stand-in" in repr(module).splitlines()[0]
    xs, ys = next(iter(module.train_dataloader()))
    assert xs.shape == (128, 1, 28, 28)
    assert ys.shape == (128,)
    assert module.config()["output_dims"] == (1,)


def test_missing_characters_are_refused_by_file(tmp_path):
    with pytest.warns(UserWarning, match="EMNIST is not here"), pytest.raises(DataError) as refused:
        EMNIST(folder=tmp_path).setup()
    assert STAND_IN in refused.value.what


# --- lines


def test_the_config_of_lines_needs_no_data(tmp_path):
    config = EMNISTLines(folder=tmp_path).config()
    assert config == {"input_dims": (1, 28, 896), "output_dims": (32, 1), "mapping": CHARSET[:-1]}


def test_lines_are_sentences_of_their_own_split(lines):
    module = lines()
    for part, split in ((module.data_train, "train"), (module.data_val, "validation"), (module.data_test, "test")):
        prose = " ".join(sentences(split))
        for _, ids in part:
            text = "".join(CHARSET[index] for index in ids).replace("<P>", "")
            assert 0 < len(text) <= 30
            assert text in prose


def test_a_character_stands_at_its_position_in_the_text(lines):
    module = lines(max_overlap=0.0)
    for ink, ids in module.data_train:
        for position, index in enumerate(ids):
            inked = bool(ink[0, :, 28 * position : 28 * (position + 1)].max() > 0.5)
            assert inked == (CHARSET[index] not in (" ", "<P>"))


def test_the_characters_of_a_line_overlap_by_one_share(lines):
    module = lines(min_overlap=0.5, max_overlap=0.5)
    assert all(not ink[0, :, 14 * 31 + 28 :].any() for ink, _ in module.data_train)


def test_lines_can_have_start_and_end_tokens(lines):
    for _, ids in lines(with_start_end_tokens=True).data_train:
        tokens = [CHARSET[index] for index in ids]
        assert tokens[0] == "<S>"
        assert tokens.count("<E>") == 1


def test_a_line_is_a_function_of_seed_split_and_number(lines):
    first, again, other = (lines(seed=seed).data_train[7] for seed in (1, 1, 2))
    assert torch.equal(first[0], again[0])
    assert not torch.equal(first[0], other[0])
    with pytest.raises(IndexError):
        lines().data_train[40]


def test_lines_are_batched(lines):
    module = lines(batch_size=8, num_workers=1)
    xs, ys = next(iter(module.train_dataloader()))
    assert xs.shape == (8, 1, 28, 896)
    assert ys.shape == (8, 32)
    assert INDEX["\n"] not in ys
    assert "EMNIST Lines Dataset" in repr(module)
