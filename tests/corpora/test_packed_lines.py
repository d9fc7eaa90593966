"""Lines of all widths are packed into one file, are memory-mapped, and keep their labels."""

import json

import numpy as np
import pytest

from text_recognizer.core.errors import DataError
from text_recognizer.core.geometry import Box
from text_recognizer.corpora.packed_lines import PackedLine, PackedLines, line_writer

WIDTHS = (7, 1, 300)


def line(number, width):
    return PackedLine(f"a01-000-{number:02d}", "a01-000", "w\u2028 1", f"line {number}", Box(1, 2, 3, 4), (width, 16))


@pytest.fixture
def pictures():
    generator = np.random.default_rng(1)
    return [generator.integers(0, 256, (16, width), dtype=np.uint8) for width in WIDTHS]


@pytest.fixture
def folder(pictures, tmp_path):
    with line_writer(tmp_path, "train", 16) as add:
        for number, picture in enumerate(pictures):
            add(picture, line(number, picture.shape[1]))
    return tmp_path


def test_lines_are_read_as_they_were_written(folder, pictures):
    packed = PackedLines.open(folder, "train")
    assert (len(packed), packed.height, packed.texts) == (3, 16, ["line 0", "line 1", "line 2"])
    assert packed.lines == tuple(line(number, width) for number, width in enumerate(WIDTHS))
    for number, picture in enumerate(pictures):
        np.testing.assert_array_equal(packed.picture(number), picture)


def test_the_pictures_are_memory_mapped(folder):
    assert isinstance(PackedLines.open(folder, "train").columns, np.memmap)


def test_a_split_may_have_no_lines(tmp_path):
    with line_writer(tmp_path, "test", 16):
        pass
    assert len(PackedLines.open(tmp_path, "test")) == 0


def test_a_line_of_another_height_is_refused(tmp_path):
    with (
        pytest.raises(ValueError, match=r"is uint8 \(16, 7\), not uint8 \(56, 7\)"),
        line_writer(tmp_path, "t", 56) as add,
    ):
        add(np.zeros((16, 7), np.uint8), line(0, 7))


@pytest.mark.parametrize("damage", ["cut", "labels", "half"])
def test_files_that_do_not_fit_together_are_refused(folder, damage):
    labels = folder / "train-lines.jsonl"
    rows = labels.read_text(encoding="utf-8").split("\n")
    if damage == "cut":
        (folder / "train-lines.npy").write_bytes((folder / "train-lines.npy").read_bytes()[:-40])
    elif damage == "labels":
        labels.write_text("\n".join(rows[1:]), encoding="utf-8")
    else:
        labels.write_text(json.dumps({"id": "a"}), encoding="utf-8")
    with pytest.raises(DataError) as caught:
        PackedLines.open(folder, "train")
    assert str(folder / "train-lines") in caught.value.what
    assert "preprocess" in caught.value.fix


def test_missing_lines_are_refused_with_the_parameter_to_set(tmp_path):
    with pytest.raises(DataError) as caught:
        PackedLines.open(tmp_path, "train")
    assert "train-lines.npy" in caught.value.what
    assert "preprocess.line_height" in caught.value.fix
