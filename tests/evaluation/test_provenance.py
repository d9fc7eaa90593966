"""The digests of a score: of its data and of the code."""

import dataclasses

import numpy as np
import pytest

from text_recognizer.corpora.packed_pages import PackedPage, PackedSplit
from text_recognizer.evaluation.provenance import CODE, NORMALISATION, code_files, data_digest


@pytest.mark.parametrize("change", ["picture", "text", "writer", "order"])
def test_the_data_digest_changes_with_everything_that_is_scored(change):
    canvases = np.arange(2 * 4 * 4, dtype=np.uint8).reshape(2, 4, 4)
    pages = (PackedPage("a", "w1", "one", ()), PackedPage("b", "w2", "two", ()))
    before = data_digest(PackedSplit(canvases, pages))
    if change == "picture":
        canvases = canvases + np.uint8(1)
    elif change == "order":
        canvases, pages = canvases[::-1], pages[::-1]
    else:
        pages = (dataclasses.replace(pages[0], **{change: "other"}), pages[1])
    assert data_digest(PackedSplit(canvases, pages)) != before


def test_the_data_digest_does_not_depend_on_where_the_data_are(processed):
    packed = PackedSplit.open(processed, "test")
    assert data_digest(packed) == data_digest(PackedSplit(np.array(packed.canvases), packed.pages))


@pytest.mark.parametrize("place", CODE)
def test_every_place_of_the_code_digest_has_source_files(place):
    assert [file for file in code_files() if f"text_recognizer/{place}" in file.as_posix()]


def test_the_code_that_normalises_texts_is_part_of_the_code_digest():
    assert NORMALISATION in CODE
