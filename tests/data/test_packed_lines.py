"""Lines of all widths lie in one file, are read by memory map, and keep their labels."""

import json

import numpy as np
import pytest

from text_recognizer.data.packed_lines import Line, PackedLines, writing
from text_recognizer.errors import DataError

WIDTHS = (7, 1, 300)


def line(number, width):
    return Line(f"a01-000-{number:02d}", "a01-000", "w\u2028 1", f"line {number}", (1, 2, 3, 4), (width, 16))


@pytest.fixture
def pictures():
    generator = np.random.default_rng(1)
    return [generator.integers(0, 256, (16, width), dtype=np.uint8) for width in WIDTHS]


@pytest.fixture
def folder(pictures, tmp_path):
    with writing(tmp_path, "train", 16) as add:
        for number, picture in enumerate(pictures):
            add(picture, line(number, picture.shape[1]))
    return tmp_path


def test_lines_come_back_as_they_were_added(folder, pictures):
    packed = PackedLines.open(folder, "train")
    assert (len(packed), packed.height, packed.texts) == (3, 16, ["line 0", "line 1", "line 2"])
    assert packed.lines == tuple(line(number, width) for number, width in enumerate(WIDTHS))
    assert all(np.array_equal(packed.picture(number), picture) for number, picture in enumerate(pictures))


def test_the_pictures_are_not_read_before_they_are_asked_for(folder):
    assert isinstance(PackedLines.open(folder, "train").columns, np.memmap)


def test_a_split_without_lines_is_one(tmp_path):
    with writing(tmp_path, "test", 16):
        pass
    assert len(PackedLines.open(tmp_path, "test")) == 0


def test_a_line_of_another_height_is_not_packed(tmp_path):
    with pytest.raises(ValueError, match=r"is uint8 \(16, 7\), not uint8 \(56, 7\)"), writing(tmp_path, "t", 56) as add:
        add(np.zeros((16, 7), np.uint8), line(0, 7))


@pytest.mark.parametrize("spoil", ["cut", "labels", "half"])
def test_a_pack_that_does_not_fit_together_is_refused(folder, spoil):
    labels = folder / "train-lines.jsonl"
    rows = labels.read_text(encoding="utf-8").split("\n")
    if spoil == "cut":
        (folder / "train-lines.npy").write_bytes((folder / "train-lines.npy").read_bytes()[:-40])
    elif spoil == "labels":
        labels.write_text("\n".join(rows[1:]), encoding="utf-8")
    else:
        labels.write_text(json.dumps({"id": "a"}), encoding="utf-8")
    with pytest.raises(DataError, match="is damaged") as caught:
        PackedLines.open(folder, "train")
    assert "preprocess" in caught.value.fix


def test_no_pack_says_how_to_get_one(tmp_path):
    with pytest.raises(DataError, match="no lines are packed") as caught:
        PackedLines.open(tmp_path, "train")
    assert "preprocess.lines" in caught.value.fix
