"""The figures of a score, against the worked example of docs/evaluation.md."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.drawn import scaled

from text_recognizer.core.errors import DataError
from text_recognizer.core.schemas import Summary
from text_recognizer.corpora.packed_pages import PackedSplit
from text_recognizer.evaluation.scoring import read_split, summarise, worst_first
from text_recognizer.inference import Recognizer
from text_recognizer.inference.packed_paragraphs import read_paragraph

DOCS = Path(__file__).parents[2] / "docs" / "evaluation.md"


def test_the_worked_example_of_the_documentation(worked, section):
    score = summarise(worked, section)
    assert score.cer == 3 / 24
    assert score.cer_newlines == 4 / 24
    assert score.wer == 2 / 8
    assert (score.substitutions, score.insertions, score.deletions) == (1, 1, 1)
    assert score.length_ratio == 1.0
    assert score.cer_interval == (2 / 24, 4 / 24)
    assert (score.pages, score.characters, score.words, score.writers) == (2, 24, 8, 2)
    assert score.worst == "a"
    assert [(row.writer, row.edits, row.characters) for row in score.by_writer] == [("w1", 2, 12), ("w2", 1, 12)]


@pytest.mark.parametrize("name", ["cer", "cer_newlines", "wer"])
def test_the_documentation_states_the_figures_that_are_computed(worked, section, name):
    figure, text = getattr(summarise(worked, section), name), DOCS.read_text(encoding="utf-8")
    line = next(line for line in text.splitlines() if line.startswith(f"- `{name}` ="))
    assert f"= {100 * figure:.1f}".removesuffix(".0") in line


def test_the_documentation_names_every_figure():
    text = DOCS.read_text(encoding="utf-8")
    assert [name for name in Summary.model_fields if f"`{name}" not in text] == []


def test_the_constant_floor_is_the_cer_of_an_answer_that_needs_no_picture(make_page, section):
    floors = summarise([make_page("a", "w", "the cat", "anything")], section).floors
    assert (floors.empty, floors.constant) == (1.0, 3 / 7)


def test_the_empty_floor_is_the_cer_of_empty_texts(make_page, section):
    score = summarise([make_page("a", "w1", "to be", ""), make_page("b", "w2", "or\nnot", "")], section)
    assert score.cer == score.floors.empty == 1.0


def test_a_newline_read_as_a_space_is_an_edit_only_if_newlines_are_kept(make_page, section):
    score = summarise([make_page("a", "w", "to be\nor not", "to be or not")], section)
    assert (score.cer, score.exact_pages) == (0.0, 1)
    assert score.cer_newlines == 1 / 12


def test_equal_pages_give_equal_json(worked, section):
    first, again = (summarise(worked, section).model_dump_json() for _ in range(2))
    assert first == again


def test_the_interval_is_drawn_over_writers_and_not_over_pages(make_page, section):
    pages = [make_page(str(index), "one", "abcdefghij", "abcdefghi" + "jx"[index % 2]) for index in range(20)]
    score = summarise(pages, section)
    assert score.writers == 1
    assert score.cer_interval == (score.cer, score.cer)


def test_the_worst_page_has_the_highest_cer_and_not_the_most_edits(make_page):
    long, short = make_page("long", "w", "a" * 100, "b" * 20 + "a" * 80), make_page("short", "w", "abcd", "abxx")
    assert [one.id for one in worst_first([long, short])] == ["short", "long"]


def test_pages_of_equal_cer_are_sorted_by_id(make_page):
    pages = [make_page(name, "w", "abcd", "abcx") for name in ("b", "c", "a")]
    assert [one.id for one in worst_first(pages)] == ["a", "b", "c"]


@pytest.mark.parametrize(("prediction", "cer"), [("", 0.0), ("ghost", 1.0)])
def test_a_page_without_text_is_right_only_if_nothing_was_read(make_page, prediction, cer):
    page = make_page("a", "w", "", prediction)
    assert (page.cer, page.length_ratio) == (cer, None)


def test_a_score_without_pages_is_refused(section):
    with pytest.raises(DataError):
        summarise([], section)


def test_pages_without_any_text_are_refused(make_page, section):
    with pytest.raises(DataError):
        summarise([make_page("a", "w", "", "")], section)


def test_the_pages_of_a_split_are_read_in_their_order_as_any_picture_is_read(model, written_words):
    recognizer, packed = Recognizer.load(model), PackedSplit.open(written_words, "test")
    packed = PackedSplit(packed.canvases[:4], packed.pages[:4])
    scores = read_split(recognizer, packed)
    pictures = [np.pad(canvas, 30, constant_values=255) for canvas in np.asarray(packed.canvases)]
    assert [one.id for one in scores] == [one.id for one in packed.pages]
    assert [one.prediction for one in scores] == [recognizer.read(picture).text for picture in pictures]
    assert len({one.prediction for one in scores}) == 4


@pytest.mark.parametrize("dpi", [75, 300])
def test_a_page_is_read_at_the_same_size_whatever_the_resolution_of_its_canvas(model, written_words, dpi):
    recognizer, packed = Recognizer.load(model), PackedSplit.open(written_words, "test")
    page, canvas = packed.pages[0], np.asarray(packed.canvases[0])
    (whole,) = read_paragraph(recognizer, canvas, page).transcription.lines
    (line,) = read_paragraph(recognizer, scaled(canvas, dpi / 150), replace(page, dpi=float(dpi))).transcription.lines
    assert line.box.height == pytest.approx(whole.box.height, rel=0.1)
    assert line.box.width == pytest.approx(whole.box.width, rel=0.1)
