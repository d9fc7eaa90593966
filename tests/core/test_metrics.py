"""Error rates, alignments and intervals, compared with figures computed by hand."""

import numpy as np
import pytest

from text_recognizer.core.errors import DataError
from text_recognizer.core.metrics import Edits, Span, align, bootstrap_interval, character_edits, error_rate, word_edits


@pytest.mark.parametrize(
    ("reference", "hypothesis", "edits"),
    [
        ("kitten", "sitting", 3),
        ("the cat", "the cat", 0),
        ("The", "the", 1),
        ("abc", "", 3),
        ("", "abc", 3),
        ("ab\ncd", "ab cd", 1),
        ("naïve café", "naive cafe", 2),
        ("😀 ok", "ok", 2),
    ],
)
def test_character_edits_count_code_points_and_case(reference, hypothesis, edits):
    assert character_edits(reference, hypothesis) == Edits(edits, len(reference))


def test_word_edits_compare_words_split_at_any_white_space():
    assert word_edits("to be\nor  not", "to bee or") == Edits(2, 4)


def test_the_error_rate_sums_before_it_divides():
    # The mean of the two rates would be (1/2 + 0/8) / 2 = 0.25.
    assert error_rate([Edits(1, 2), Edits(0, 8)]) == 0.1


@pytest.mark.parametrize("rows", [[], [Edits(3, 0)]])
def test_an_error_rate_needs_a_reference_character(rows):
    with pytest.raises(DataError):
        error_rate(rows)


def test_alignment_names_each_kind_of_edit_in_order():
    assert align("paper, ink", "pxper inks") == [
        Span("equal", "p", "p"),
        Span("replace", "a", "x"),
        Span("equal", "per", "per"),
        Span("delete", ",", ""),
        Span("equal", " ink", " ink"),
        Span("insert", "", "s"),
    ]


@pytest.mark.parametrize(
    ("reference", "hypothesis"), [("kitten", "sitting"), ("", "new"), ("gone", ""), ("abcdef", "badcfe"), ("", "")]
)
def test_an_alignment_joins_to_both_texts_and_has_the_fewest_edits(reference, hypothesis):
    spans = align(reference, hypothesis)
    assert "".join(span.reference for span in spans) == reference
    assert "".join(span.hypothesis for span in spans) == hypothesis
    assert sum(span.edits for span in spans) == character_edits(reference, hypothesis).edits


def test_a_replaced_span_has_equally_many_characters_on_both_sides():
    replaced = [span for span in align("abcxyz!", "abdwyzzz?") if span.kind == "replace"]
    assert replaced
    assert all(len(span.reference) == len(span.hypothesis) for span in replaced)


def test_the_interval_of_two_writers_spans_their_two_rates():
    interval = bootstrap_interval([Edits(2, 12), Edits(1, 12)], ["w1", "w2"], resamples=2000, level=0.95, seed=1)
    assert interval == (2 / 24, 4 / 24)


def test_the_interval_is_a_function_of_the_seed():
    rows = [Edits(index % 7, 30) for index in range(40)]
    writers = [f"w{index // 2}" for index in range(40)]
    first, again, other = (bootstrap_interval(rows, writers, 500, 0.95, seed) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_the_interval_does_not_depend_on_the_order_of_the_pages():
    rows = [Edits(index % 7, 30) for index in range(40)]
    writers = [f"w{index // 2}" for index in range(40)]
    reversed_pages = bootstrap_interval(rows[::-1], writers[::-1], 500, 0.95, 1)
    assert reversed_pages == bootstrap_interval(rows, writers, 500, 0.95, 1)


def test_the_interval_over_writers_is_wider_than_over_pages_if_writers_differ():
    rows = [Edits(10, 100)] * 20 + [Edits(1, 100)] * 20
    writers = [f"w{index // 10}" for index in range(40)]
    pages = [f"p{index}" for index in range(40)]
    by_writer, by_page = (bootstrap_interval(rows, groups, 1000, 0.95, 1) for groups in (writers, pages))
    assert by_writer[1] - by_writer[0] > 2 * (by_page[1] - by_page[0])


def test_the_interval_of_one_writer_has_no_width():
    assert bootstrap_interval([Edits(1, 10), Edits(3, 10)], ["w", "w"], 100, 0.95, 1) == (0.2, 0.2)


def test_the_interval_covers_the_true_rate_about_as_often_as_its_level_says():
    # 200 corpora of 30 writers each, whose error rates are drawn around 10 %.
    generator = np.random.default_rng(5)
    covered = 0
    for corpus in range(200):
        rates = generator.uniform(0.0, 0.2, size=30)
        rows = [Edits(int(generator.binomial(200, rate)), 200) for rate in rates]
        low, high = bootstrap_interval(rows, [str(writer) for writer in range(30)], 300, 0.9, corpus)
        covered += low <= 0.1 <= high
    assert 0.83 <= covered / 200 <= 0.96


def test_a_higher_level_gives_a_wider_interval():
    rows, writers = [Edits(index % 7, 30) for index in range(40)], [f"w{index}" for index in range(40)]
    narrow, wide = (bootstrap_interval(rows, writers, 1000, level, 1) for level in (0.8, 0.99))
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


def test_an_interval_of_no_pages_is_refused():
    with pytest.raises(DataError):
        bootstrap_interval([], [], 100, 0.95, 1)


def test_resampling_in_parts_gives_the_same_interval(monkeypatch):
    rows, writers = [Edits(index % 7, 30) for index in range(40)], [f"w{index}" for index in range(40)]
    whole = bootstrap_interval(rows, writers, 500, 0.95, 1)
    monkeypatch.setattr("text_recognizer.core.metrics.MAX_DRAWS", 40 * 64)
    assert bootstrap_interval(rows, writers, 500, 0.95, 1) == whole
