"""A score counts the sources that the gate judges, and shows each source."""

import dataclasses

import numpy as np
import pytest

from text_recognizer.corpora.packed_pages import PackedSource, PackedSplit, write_source
from text_recognizer.evaluation.slices import score_slices, uncounted_slices
from text_recognizer.evaluation.split_score import score_split
from text_recognizer.inference import Recognizer


def test_pages_that_name_a_source_are_in_its_slice(make_page, section):
    pages = [
        dataclasses.replace(make_page("a", "w1", "one", "one"), source="letters"),
        dataclasses.replace(make_page("b", "w2", "five", "fine"), source="letters"),
        make_page("c", "w3", "six", "sax"),
    ]
    (row,) = [row for row in score_slices(pages, section) if row.by == "source"]
    assert (row.name, row.pages, row.cer) == ("source letters", 2, 1 / 7)
    (other,) = uncounted_slices(pages[1:2], section)
    assert (other.by, other.name, other.cer) == ("uncounted source", "source letters", 1 / 4)


@pytest.mark.slow
def test_the_score_is_that_of_the_sources_that_count(processed, model, section):
    packed = PackedSplit.open(processed, "test")
    pages = [dataclasses.replace(page, source="b" if n % 3 else "a") for n, page in enumerate(packed.pages)]
    PackedSplit(np.array(packed.canvases), tuple(pages)).save(processed, "test")
    write_source(processed, "archive", [PackedSource("a"), PackedSource("b", counts_in_gate=False)])
    both = PackedSplit.open(processed, "test")
    score, rows = score_split(Recognizer.load(model), both, model, section)
    assert len(rows) == len(pages)
    assert score.pages == len(pages) // 3
    cers = {row.name: (row.by, row.pages, row.cer) for row in score.slices if "source" in row.by}
    assert cers["source a"] == ("source", score.pages, score.cer)
    by, count, cer = cers["source b"]
    others = [row for row in rows if row.source == "b"]
    assert (by, count) == ("uncounted source", len(others))
    assert cer == sum(row.characters.edits for row in others) / sum(row.characters.length for row in others)
