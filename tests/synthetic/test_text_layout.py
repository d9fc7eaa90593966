"""Words are placed on lines between the margins, and on the page whatever the writer."""

from itertools import repeat

import numpy as np
import pytest

from text_recognizer.synthetic import plan
from text_recognizer.synthetic.form import FormRecipe, compose
from text_recognizer.synthetic.paper import wrap_prompt
from text_recognizer.synthetic.sheet import CLEAR, make_sheet
from text_recognizer.synthetic.text_layout import EDGE, baselines, lay_out
from text_recognizer.synthetic.writer import Writer


def a_writer(section, index=0):
    writer_plan = plan(section)[index]
    return Writer(writer_plan, section.seed, section.dpi), writer_plan


def text_of(line):
    return " ".join(word.text for word in line)


@pytest.mark.parametrize("size", [(1240, 1000, 3), (600, 400, 1), (2479, 3542, 10)])
@pytest.mark.slow
def test_all_ink_lies_on_the_page_and_below_the_print(section, size):
    asked = section(
        train_forms=54, forms_per_writer=1, page_width=size[0], page_height=size[1], lines_max=size[2], dpi=100
    )
    sheet = make_sheet(asked)
    for writer_plan in plan(asked)[::3]:
        writer = Writer(writer_plan, asked.seed, asked.dpi)
        layout = compose(writer, writer_plan, writer_plan.forms[0], FormRecipe(sheet, asked.seed, (size[2], size[2])))
        header = sheet.header(len(wrap_prompt(sheet, layout.words)))
        rows = baselines(layout.lines, writer, sheet, header, np.random.default_rng(0))
        ink = np.concatenate(
            [word.moved(0, y).points for line, y in zip(layout.lines, rows, strict=True) for word in line]
        )
        assert ink.min(axis=0)[0] > 0
        assert ink.max(axis=0)[0] < sheet.width
        assert ink.min(axis=0)[1] > header + CLEAR - 1
        assert ink.max(axis=0)[1] < sheet.foot + 1


def test_a_line_is_filled_up_to_the_margin(section):
    asked = section()
    writer, _ = a_writer(asked)
    layout = lay_out(writer, repeat("on"), make_sheet(asked), 3, np.random.default_rng(0))
    left, right = make_sheet(asked).margins(writer.style)
    longest = 3 * max(word.width for word in layout.lines[0]) + writer.x_height
    for line in layout.lines[:2]:
        assert line[0].points[:, 0].min() < left + 60
        assert right - longest - 60 < line[-1].points[:, 0].max() < right + 60


def test_a_word_wider_than_the_page_is_broken_with_hyphens_and_keeps_its_letters(section):
    asked = section(page_width=600, page_height=1000)
    writer, _ = a_writer(asked)
    word = "floccinaucinihilipilification" * 2
    layout = lay_out(writer, repeat(word), make_sheet(asked), 3, np.random.default_rng(0))
    lines = [text_of(line) for line in layout.lines]
    assert all(line.endswith("-") for line in lines)
    assert word.startswith("".join(line.rstrip("-") for line in lines))
    assert max(piece.points[:, 0].max() for line in layout.lines for piece in line) < 600 - EDGE + 2


def test_the_prompt_holds_a_broken_word_unbroken(section):
    asked = section(page_width=600, page_height=1000)
    writer, _ = a_writer(asked)
    layout = lay_out(writer, repeat("incomprehensibilities"), make_sheet(asked), 2, np.random.default_rng(0))
    assert set(layout.words) == {"incomprehensibilities"}


def test_two_instances_of_a_word_differ(section):
    writer, _ = a_writer(section())
    rng = np.random.default_rng(0)
    one, two = writer.write("word", rng), writer.write("word", rng)
    assert not np.allclose(one.points[:20], two.points[:20])


@pytest.mark.slow
def test_a_punctuation_mark_does_not_touch_the_letter_before_it(section):
    asked = section(train_forms=54, forms_per_writer=1)
    for writer_plan in plan(asked)[::3]:
        writer = Writer(writer_plan, asked.seed, asked.dpi)
        letter, mark = writer.write("e.", np.random.default_rng(0)).tokens()
        assert mark.points[:, 0].min() > letter.points[letter.points[:, 1] > -0.4 * writer.x_height, 0].max()


def test_a_word_is_split_into_iams_tokens_without_losing_strokes(section):
    writer, _ = a_writer(section())
    ink = writer.write('"Mr.', np.random.default_rng(0))
    assert [token.text for token in ink.tokens()] == ['"', "Mr."]
    assert sum(len(token.lengths) for token in ink.tokens()) == len(ink.lengths)
    split = writer.write("o'clock,", np.random.default_rng(0)).tokens()
    assert [token.text for token in split] == ["o'clock", ","]
