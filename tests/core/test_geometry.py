"""Boxes."""

import pytest

from text_recognizer.core.geometry import Box, bounding_box


def test_right_and_bottom_are_just_outside_the_box():
    box = Box(10, 20, 30, 40)
    assert (box.right, box.bottom) == (40, 60)


@pytest.mark.parametrize(
    ("boxes", "bounds"),
    [
        ([], None),
        ([Box(1, 2, 3, 4)], Box(1, 2, 3, 4)),
        ([Box(10, 20, 30, 5), Box(50, 12, 5, 9)], Box(10, 12, 45, 13)),
        (iter([Box(-5, 0, 1, 1), Box(0, -7, 2, 2)]), Box(-5, -7, 7, 8)),
    ],
)
def test_the_bounding_box_is_the_smallest_around_all_boxes(boxes, bounds):
    assert bounding_box(boxes) == bounds
