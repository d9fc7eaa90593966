"""Recombined paragraphs: real handwriting of one writer, with its labels, as a function of the number."""

import numpy as np
import pytest

from text_recognizer.corpora.packed_pages import PackedPage, PackedSplit
from text_recognizer.data.recombination import Recombined

SIZE = (96, 256)
PAGES = [("to be or not", "that is it"), ("a sea of ink", "and so on"), ("the cat sat", "on a mat")]
NUMBERS = range(15)


@pytest.fixture(scope="module")
def split(printed_split):
    return printed_split(PAGES)


@pytest.fixture(scope="module")
def pages(split):
    supply = Recombined(split, SIZE, seed=1)
    return [supply.page(number) for number in NUMBERS]


def test_a_page_is_a_function_of_seed_and_number(split, pages):
    again, other = Recombined(split, SIZE, seed=1), Recombined(split, SIZE, seed=2)
    canvas, texts, boxes = again.page(7)
    assert np.array_equal(canvas, pages[7][0])
    assert (texts, boxes) == pages[7][1:]
    assert other.page(7)[1:] != pages[7][1:]


def test_pages_differ(pages):
    assert len({tuple(texts) for _, texts, _ in pages}) > len(pages) // 2


@pytest.mark.parametrize("number", NUMBERS)
def test_every_box_lies_on_the_canvas_and_holds_ink(pages, number):
    canvas, texts, boxes = pages[number]
    assert (canvas.shape, canvas.dtype) == (SIZE, np.uint8)
    assert len(boxes) == len(texts) > 0
    for x, y, width, height in boxes:
        assert 0 <= x < x + width <= SIZE[1]
        assert 0 <= y < y + height <= SIZE[0]
        assert (canvas[y : y + height, x : x + width] < 128).any()


@pytest.mark.parametrize("number", NUMBERS)
def test_a_page_has_only_words_of_one_writer(pages, number):
    words_by_writer = [set(" ".join(lines).split()) for lines in PAGES]
    used = {word for text in pages[number][1] for word in text.split()}
    assert any(used <= words for words in words_by_writer)


def test_words_with_rare_characters_are_drawn_more_often_than_they_were_written(printed_split):
    # Given a writer one of whose three words has a digit, which nobody else wrote
    others = [("a sea of tea", "tea or a sea")] * 12
    supply = Recombined(printed_split([("seat 4a oats",), *others]), SIZE, seed=1)
    drawn = [supply.page(number)[1] for number in range(1500)]
    words = [word for texts in drawn for text in texts for word in text.split() if word in ("seat", "4a", "oats")]
    # Then more than a third of the words of that writer are that word
    assert len(words) > 500
    assert words.count("4a") / len(words) > 1 / 3 + 0.03


def test_all_writers_are_used(pages):
    used = {word for _, texts, _ in pages for text in texts for word in text.split()}
    assert used >= {"be", "ink", "cat"}


def test_both_whole_lines_and_words_in_a_new_order_are_used(pages):
    real = {line for lines in PAGES for line in lines}
    texts = [text for _, texts, _ in pages for text in texts]
    assert {text in real for text in texts} == {True, False}


def test_the_lines_of_a_page_are_in_order_from_top_to_bottom(pages):
    for _, _, boxes in pages:
        middles = [y + height / 2 for _, y, _, height in boxes]
        assert middles == sorted(middles)


def test_a_whole_line_is_pasted_unchanged(printed_split):
    # Given one writer with one line that cannot be cut, on a page that holds one line only
    split = printed_split([("ink",)])
    canvas, texts, ((x, y, width, height),) = Recombined(split, (32, 128), seed=3).page(0)
    # Then its foreground is that of the page, moved
    rows, columns = np.nonzero(canvas < 255)
    drawn = canvas[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    real = np.asarray(split.canvases[0])
    rows, columns = np.nonzero(real < 255)
    assert texts == ["ink"]
    top, left = rows.min(), columns.min()
    assert np.array_equal(drawn, real[top : top + drawn.shape[0], left : left + drawn.shape[1]])
    assert drawn.shape[1] >= columns.max() - left  # the label's box ends within a pixel of the ink
    assert (width, height) > (0, 0)
    assert (canvas[:, :x] == 255).all()
    assert (canvas[:, x + width :] == 255).all()
    assert y >= 0


def test_a_line_without_ink_can_be_recombined():
    blank = np.full((1, 64, 128), 255, dtype=np.uint8)
    split = PackedSplit(blank, (PackedPage("p", "w", "to be", ((6, 4, 60, 22),)),))
    canvas, texts, boxes = Recombined(split, (32, 96), seed=1).page(0)
    assert (canvas == 255).all()
    assert set(texts) == {"to be"}
    assert len(boxes) == len(texts)


def test_a_line_wider_than_the_canvas_is_used_only_by_words(printed_split):
    split = printed_split([("to be or not",)])
    canvas, texts, boxes = Recombined(split, (32, 64), seed=1).page(0)
    assert canvas.shape == (32, 64)
    assert "to be or not" not in texts
    assert all(x + width <= 64 for x, _, width, _ in boxes)
