"""How the error rate of whole pages is defined, by values that were computed by hand."""

import pytest

from text_recognizer.benchmarks.text_error import collapse, score_file, summarise_files, summarise_kinds


def test_white_space_is_collapsed_on_both_sides():
    assert collapse(" a\tb \n\n c\n") == "a b c"
    score = score_file("page", "", "to be\nor not\n", " to  be or\nnot")
    assert (score.characters, score.edits) == (12, 0)


@pytest.mark.parametrize(
    ("read", "edits"),
    [
        ("kitten", 0),
        ("sitting", 3),  # k to s, e to i, and a g more
        ("kit ten", 1),  # a space is a character
        ("Kitten", 1),  # so is case
        ("", 6),
        ("a long text that has nothing to do with it", 6),  # capped
    ],
)
def test_edits_are_counted_in_characters_up_to_the_length_of_the_text(read, edits):
    assert score_file("page", "", "kitten", read).edits == edits


def test_what_is_read_where_nothing_is_written_is_invented_and_no_edit():
    score = score_file("page", "", " \n", "two  words\n")
    assert (score.characters, score.edits, score.invented) == (0, 0, 9)
    assert score_file("page", "", "text", "text and more").invented == 0


def test_the_rate_is_the_sum_of_edits_over_the_sum_of_lengths():
    scores = [
        score_file("long", "a", "0123456789", "012345678"),
        score_file("short", "b", "ab", "a lot more than that"),
        score_file("empty", "b", "", "xyz"),
        score_file("blank", "b", "", ""),
    ]
    whole = summarise_files(scores)
    assert (whole.files, whole.characters, whole.cer) == (2, 12, 3 / 12)
    assert (whole.empty, whole.inventing, whole.invented) == (2, 1, 3)
    # A resample of two files has the rate of one of them, or that of both.
    assert whole.interval == (1 / 10, 1.0)
    kinds = summarise_kinds(scores)
    assert {kind: one.cer for kind, one in kinds.items()} == {"a": 1 / 10, "b": 1.0}


def test_files_without_text_have_no_rate():
    empty = summarise_files([score_file("empty", "", "", "")])
    assert (empty.cer, empty.interval, empty.empty, empty.inventing) == (None, None, 1, 0)
    assert summarise_kinds([score_file("empty", "", "", "")]) == {}


def test_lines_in_the_wrong_order_have_no_edits_in_any_order():
    truth = "the quick brown fox\njumps over a lazy dog\nand runs into a wood"
    right, reverse = (score_file("page", "", truth, "\n".join(truth.splitlines()[::step])) for step in (1, -1))
    assert (right.edits, right.edits_any_order, right.footrule, right.kendall) == (0, 0, 0.0, 0.0)
    assert (reverse.edits > 20, reverse.edits_any_order, reverse.footrule, reverse.kendall) == (True, 0, 1.0, 1.0)
    summary = summarise_files([right, reverse, score_file("word", "", "word", "word")])
    assert (summary.footrule, summary.kendall, summary.cer_any_order) == (0.5, 0.5, 0.0)


def test_in_any_order_the_edits_are_capped_too():
    score = score_file("page", "", "kitten", "a long text that has nothing to do with it")
    assert (score.edits_any_order, score.footrule) == (6, None)
