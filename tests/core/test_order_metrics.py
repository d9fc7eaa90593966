"""The metric of the reading order: distances with known values, and what order costs on small pages."""

import time
from itertools import pairwise

import pytest

from text_recognizer.core.metrics import character_edits
from text_recognizer.core.order_metrics import compare_order, footrule_distance, kendall_distance, match_parts

LEFT = ("the quick brown fox", "jumps over a lazy dog", "and runs into a wood")
RIGHT = ("seven big ships sail", "from here to nowhere", "under a yellow moon")


@pytest.mark.parametrize(
    ("ranks", "kendall", "footrule"),
    [
        ([], 0.0, 0.0),
        ([0], 0.0, 0.0),
        ([0, 1, 2, 3], 0.0, 0.0),
        ([3, 2, 1, 0], 1.0, 1.0),
        ([4, 3, 2, 1, 0], 1.0, 1.0),
        ([1, 0, 2, 3], 1 / 6, 2 / 8),  # two neighbours change places
        ([3, 0, 1, 2], 3 / 6, 6 / 8),  # the last line is read first
        ([0, 2, 1], 1 / 3, 2 / 4),
    ],
)
def test_the_distances_have_their_known_values(ranks, kendall, footrule):
    assert kendall_distance(ranks) == pytest.approx(kendall)
    assert footrule_distance(ranks) == pytest.approx(footrule)


def cost_of(found):
    """The edits that are due to the order."""
    return found.edits - found.edits_any_order


def test_lines_in_the_true_order_have_no_distance_and_no_cost():
    found = compare_order(LEFT, LEFT)
    assert (found.matched, found.kendall, found.footrule, found.edits, cost_of(found)) == (3, 0.0, 0.0, 0, 0)
    assert found.characters == len(" ".join(LEFT))


def test_columns_in_the_wrong_order_cost_edits_that_vanish_in_any_order():
    found = compare_order([*LEFT, *RIGHT], [*RIGHT, *LEFT])
    assert found.matched == 6
    assert (found.kendall, found.footrule) == (9 / 15, 1.0)
    assert found.edits == character_edits(" ".join([*LEFT, *RIGHT]), " ".join([*RIGHT, *LEFT])).edits > 60
    assert (found.edits_any_order, cost_of(found)) == (0, found.edits)


def test_lines_across_two_columns_are_matched_in_parts():
    across = [f"{left} {right}" for left, right in zip(LEFT, RIGHT, strict=True)]
    found = compare_order([*LEFT, *RIGHT], across)
    assert found.matched == 6
    # L1 R1 L2 R2 L3 R3: R1 stands before L2 and L3, R2 before L3.
    assert found.kendall == pytest.approx(3 / 15)
    assert found.edits_any_order == 0
    assert cost_of(found) > 60


def test_a_line_that_is_read_in_two_parts_is_in_order():
    found = compare_order(LEFT, [LEFT[0], "jumps over", "a lazy dog", LEFT[2]])
    assert (found.matched, found.kendall, found.edits, found.edits_any_order) == (4, 0.0, 0, 0)
    turned = compare_order(LEFT, [LEFT[0], "a lazy dog", "jumps over", LEFT[2]])
    assert turned.kendall == pytest.approx(1 / 6)


def test_a_truth_without_line_breaks_has_an_order_too():
    joined = [" ".join(LEFT)]
    assert compare_order(joined, LEFT).kendall == 0.0
    assert compare_order(joined, LEFT[::-1]).kendall == 1.0


def test_misread_characters_are_not_the_fault_of_the_order():
    read = ["the quiok brown fox", "jumqs ower a lazy dog", LEFT[2]]
    found = compare_order(LEFT, read)
    assert (found.edits, found.edits_any_order, cost_of(found), found.kendall) == (3, 3, 0, 0.0)


def test_lines_that_are_missing_or_invented_do_not_change_the_order():
    found = compare_order(LEFT, [LEFT[0], "5823 0917", LEFT[2]])
    assert (found.matched, found.kendall) == (2, 0.0)
    assert cost_of(found) == 0
    nothing = compare_order(LEFT, [])
    assert (nothing.edits, nothing.edits_any_order) == (nothing.characters, nothing.characters)


def test_equal_lines_are_matched_by_their_places():
    lines = ["yes", LEFT[0], "yes", LEFT[1], "yes"]
    matches = match_parts(lines, lines)
    assert sorted((match.true.line, match.read.line) for match in matches) == [(number, number) for number in range(5)]
    assert compare_order(lines, lines).kendall == 0.0


def test_any_order_never_costs_more_than_the_true_one():
    lines = ["aba aba abb", "bab bab", "abba baab ab", "ba"]
    orders = [lines, lines[::-1], [*lines[1:], lines[0]], [" ".join(pair) for pair in pairwise(lines)]]
    for read in orders:
        assert 0 <= compare_order(lines, read).edits_any_order <= compare_order(lines, read).edits


def test_a_long_page_is_compared_quickly():
    numbers = [(number, number * 7919 % 1000, number * 104729 % 977) for number in range(50)]
    lines = ["line {} has {} and {} words of its own".format(*three) for three in numbers]
    started = time.process_time()
    assert compare_order(lines, lines[::-1]).kendall == 1.0
    assert time.process_time() - started < 5
