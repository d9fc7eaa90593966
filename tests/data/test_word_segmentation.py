"""Cutting a line into its words: the right gaps are chosen, and an uncertain line is not cut."""

import numpy as np
import pytest

from text_recognizer.data.word_segmentation import cut_words

CHARACTER = 10  # px
HEIGHT, TOP = 40, 10
LETTER_GAP, WORD_GAP = 2, 9


def draw_blocks(text, canvas_width=900, letter_gap=LETTER_GAP, word_gap=WORD_GAP):
    """Draw a block for each letter; return the canvas, the line's box, and the columns `[left, right)` of each word."""
    canvas = np.full((2 * HEIGHT, canvas_width), 255, dtype=np.uint8)
    x, spans = 20, []
    for word in text.split():
        left = x
        for _ in word:
            canvas[TOP : TOP + 15, x : x + CHARACTER - letter_gap] = 30
            x += CHARACTER
        spans.append((left, x - letter_gap))
        x += word_gap - letter_gap
    return canvas, (20, TOP, spans[-1][1] - 20, 15), spans


@pytest.mark.parametrize("text", ["to be", "a move to stop Mr. Gaitskell", "of", "I am a man of means by no means"])
def test_words_are_cut_at_the_gaps_between_them(text):
    canvas, box, spans = draw_blocks(text)
    words = cut_words(canvas, text, box)
    assert [word.text for word in words] == text.split()
    assert [(word.left, word.right) for word in words] == spans


def test_a_line_with_a_wide_gap_inside_a_word_is_not_cut():
    canvas, box, _ = draw_blocks("recognise another")
    # A gap inside the first word that is wider than the one between the words.
    canvas[:, 20 + 5 * CHARACTER - 4 : 20 + 5 * CHARACTER + 8] = 255
    assert cut_words(canvas, "recognise another", box) == []


def test_a_line_with_fewer_gaps_than_words_is_not_cut():
    canvas, box, _ = draw_blocks("running")
    canvas[TOP : TOP + 15, 20 : 20 + 60] = 30
    assert cut_words(canvas, "now we run on", box) == []


def test_a_line_whose_words_have_unlikely_widths_is_not_cut():
    canvas, box, _ = draw_blocks("incomprehensible a")
    assert cut_words(canvas, "a incomprehensible", box) == []


def test_a_blank_box_has_no_words():
    assert cut_words(np.full((80, 200), 255, dtype=np.uint8), "to be", (10, 10, 100, 20)) == []


def test_a_box_that_begins_off_the_canvas_is_cut_to_it():
    canvas, (x, y, width, height), spans = draw_blocks("to be")
    words = cut_words(canvas, "to be", (x - 60, y - 60, width + 60, height + 60))
    assert [(word.left, word.right) for word in words] == spans
