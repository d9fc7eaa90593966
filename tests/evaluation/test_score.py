"""The figures of a score, against the example that docs/evaluation.md works out by hand."""

import json
from pathlib import Path

import numpy as np
import pytest

from text_recognizer.data.packed import PackedSplit, Page
from text_recognizer.errors import DataError, ModelError
from text_recognizer.evaluation.score import data_digest, read_split, summarise, worst_first
from text_recognizer.inference import Recognizer

DOCS = Path(__file__).parents[2] / "docs" / "evaluation.md"


def test_the_worked_example_of_the_documentation(worked, section):
    score = summarise(worked, section)
    assert score["cer"] == 3 / 24
    assert score["cer_newlines"] == 4 / 24
    assert score["wer"] == 2 / 8
    assert (score["substitutions"], score["insertions"], score["deletions"]) == (1, 1, 1)
    assert score["length_ratio"] == 1.0
    assert score["cer_interval"] == [2 / 24, 4 / 24]
    assert (score["pages"], score["characters"], score["words"], score["writers"]) == (2, 24, 8, 2)
    assert score["worst"] == "a"


def test_the_documentation_states_the_figures_that_are_computed(worked, section):
    score, text = summarise(worked, section), DOCS.read_text(encoding="utf-8")
    for name in ("cer", "cer_newlines", "wer"):
        line = next(line for line in text.splitlines() if line.startswith(f"- `{name}` ="))
        assert f"= {100 * score[name]:.1f}".removesuffix(".0") in line


def test_the_documentation_names_every_figure(worked, section):
    text = DOCS.read_text(encoding="utf-8")
    assert [name for name in summarise(worked, section) if f"`{name}" not in text] == []


def test_the_constant_floor_answers_without_a_look(make_page, section):
    floors = summarise([make_page("a", "w", "the cat", "anything")], section)["floors"]
    assert floors == {"empty": 1.0, "constant": 3 / 7}


def test_the_empty_floor_is_what_reading_nothing_costs(make_page, section):
    score = summarise([make_page("a", "w1", "to be", ""), make_page("b", "w2", "or\nnot", "")], section)
    assert score["cer"] == score["floors"]["empty"] == 1.0


def test_a_newline_read_as_a_space_costs_only_where_newlines_are_kept(make_page, section):
    score = summarise([make_page("a", "w", "to be\nor not", "to be or not")], section)
    assert (score["cer"], score["exact_pages"]) == (0.0, 1)
    assert score["cer_newlines"] == 1 / 12


def test_equal_pages_give_equal_bytes(worked, section):
    first, again = (json.dumps(summarise(worked, section), sort_keys=True, allow_nan=False) for _ in range(2))
    assert first == again


def test_the_interval_is_drawn_over_writers_and_not_over_pages(make_page, section):
    pages = [make_page(str(index), "one", "abcdefghij", "abcdefghi" + "jx"[index % 2]) for index in range(20)]
    score = summarise(pages, section)
    assert score["writers"] == 1
    assert score["cer_interval"] == [score["cer"]] * 2


def test_the_worst_page_has_the_highest_share_of_edits_not_the_most(make_page):
    long, short = make_page("long", "w", "a" * 100, "b" * 20 + "a" * 80), make_page("short", "w", "abcd", "abxx")
    assert [one.id for one in worst_first([long, short])] == ["short", "long"]


def test_pages_that_are_equally_bad_come_in_the_order_of_their_ids(make_page):
    pages = [make_page(name, "w", "abcd", "abcx") for name in ("b", "c", "a")]
    assert [one.id for one in worst_first(pages)] == ["a", "b", "c"]


@pytest.mark.parametrize(("prediction", "cer"), [("", 0.0), ("ghost", 1.0)])
def test_a_page_without_text_is_right_only_where_nothing_was_read(make_page, prediction, cer):
    assert make_page("a", "w", "", prediction).cer == cer


def test_no_page_is_refused(section):
    with pytest.raises(DataError, match="no page to score"):
        summarise([], section)


def test_pages_without_any_text_are_refused(make_page, section):
    with pytest.raises(DataError, match="reference character"):
        summarise([make_page("a", "w", "", "")], section)


def test_a_split_is_read_page_by_page_in_its_order(model, processed, section):
    recognizer, packed = Recognizer.load(model), PackedSplit.open(processed, "test")
    scores = read_split(recognizer, packed, section)
    readings = recognizer.read_canvases(np.asarray(packed.canvases))
    assert [one.id for one in scores] == [one.id for one in packed.pages]
    assert [one.prediction for one in scores] == [one.text for one in readings]


def test_canvases_of_another_size_than_the_models_are_refused(model, section):
    packed = PackedSplit(np.full((1, 32, 32), 255, np.uint8), (Page("a", "w", "text", ()),))
    with pytest.raises(ModelError, match="preprocess"):
        read_split(Recognizer.load(model), packed, section)


@pytest.mark.parametrize("change", ["picture", "text", "writer", "order"])
def test_the_digest_of_the_data_moves_with_everything_that_is_scored(change):
    canvases = np.arange(2 * 4 * 4, dtype=np.uint8).reshape(2, 4, 4)
    pages = (Page("a", "w1", "one", ()), Page("b", "w2", "two", ()))
    before = data_digest(PackedSplit(canvases, pages))
    if change == "picture":
        canvases = canvases + np.uint8(1)
    elif change == "order":
        canvases, pages = canvases[::-1], pages[::-1]
    else:
        spoilt = Page("a", "w1", "One", ()) if change == "text" else Page("a", "w9", "one", ())
        pages = (spoilt, pages[1])
    assert data_digest(PackedSplit(canvases, pages)) != before


def test_the_digest_of_equal_data_is_equal_wherever_it_lies(processed):
    packed = PackedSplit.open(processed, "test")
    assert data_digest(packed) == data_digest(PackedSplit(np.array(packed.canvases), packed.pages))
