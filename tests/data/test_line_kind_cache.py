"""Strips that are kept in a file: they come back as they were, and are made only once."""

import numpy as np
import pytest

from text_recognizer.core.errors import DataError
from text_recognizer.data.line_kind_cache import cached_strips, read_strips, write_strips
from text_recognizer.data.line_kind_patterns import pattern_strips


def test_strips_come_back_as_they_were(tmp_path):
    strips = list(pattern_strips(5, "train"))
    write_strips(tmp_path / "a.npz", strips)
    again = read_strips(tmp_path / "a.npz")
    assert [(strip.kind, strip.source) for strip in again] == [(strip.kind, strip.source) for strip in strips]
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(again, strips, strict=True))


def test_strips_are_made_once(tmp_path):
    made = []

    def make():
        made.append(1)
        return pattern_strips(2, "train")

    first, second = (cached_strips(tmp_path, "patterns.train", make) for _ in range(2))
    assert len(first) == len(second) == 2
    assert made == [1]
    assert len(cached_strips(None, "patterns.train", make)) == 2
    assert made == [1, 1]


def test_a_source_without_strips_is_kept_too(tmp_path):
    assert cached_strips(tmp_path, "none", list) == []
    assert read_strips(tmp_path / "none.npz") == []


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "a.npz").write_bytes(b"no strips")
    with pytest.raises(DataError):
        read_strips(tmp_path / "a.npz")
