"""Canvases hold strips with their texts and boxes, and the same seed gives the same canvases."""

import numpy as np
import pytest

from text_recognizer.pages.strips import STRIP_HEIGHT
from text_recognizer.preprocess.line_canvases import (
    LabelledStrip,
    compose_canvas,
    draw_rules,
    fits,
    group_strips,
)

SHAPE = (3 * STRIP_HEIGHT, 640)


def strip(width, text="text"):
    """Return a strip with a dark bar where the text is."""
    pixels = np.full((STRIP_HEIGHT, width), 255, dtype=np.uint8)
    pixels[20:76, 24 : width - 24] = 40
    return LabelledStrip.of(pixels, text, f"page of {text}", f"writer of {text}")


def rng(seed=1):
    return np.random.default_rng(seed)


def test_each_line_lies_in_its_box():
    canvas, page = compose_canvas("c", [strip(300, "one"), strip(500, "two")], SHAPE, rng())

    assert (page.text, page.writer, page.size, page.dpi) == ("one\ntwo", "writer of one", (640, 288), 150.0)
    dark = canvas < 128
    for box in page.boxes:
        assert dark[box.y + 4 : box.bottom - 4, box.x : box.right].all()
        dark[box.y : box.bottom, box.x : box.right] = False
    assert not dark.any()


def test_a_strip_longer_than_the_canvas_is_compressed_to_it():
    canvas, page = compose_canvas("c", [strip(800)], SHAPE, rng())

    assert canvas.shape == SHAPE
    assert page.boxes[0].right <= SHAPE[1]
    assert (fits(800, 640), fits(900, 640)) == (True, False)


def test_strips_are_grouped_by_length_and_none_is_lost():
    widths = [*range(100, 200, 20), *range(2000, 2100, 20)]
    groups = group_strips([strip(width, str(width)) for width in widths], SHAPE[0], rng())

    assert sorted(int(one.text) for group in groups for one in group) == widths
    assert [len(group) for group in groups] == [3, 3, 3, 1]
    assert all(max(one.width for one in group) < 300 for group in groups[:1])


def test_rules_only_darken_and_keep_the_ink():
    pixels = np.full((STRIP_HEIGHT, 400), 255, dtype=np.uint8)
    pixels[30:60, 100:200] = 0
    drawn = [draw_rules(pixels, rng(seed)) for seed in range(20)]

    assert all((one <= pixels).all() for one in drawn)
    ruled = [(one[:, 250:] < 230).any(axis=0).mean() for one in drawn]
    assert np.median(ruled) > 0.7  # the lines run along the strip


def test_rules_are_drawn_only_if_asked_for():
    strips = [strip(300), strip(300), strip(300)]
    plain = compose_canvas("c", strips, SHAPE, rng())[0]
    ruled = [compose_canvas("c", strips, SHAPE, rng(seed), degraded=True)[0] for seed in range(8)]

    assert np.array_equal(plain, compose_canvas("c", strips, SHAPE, rng(7))[0])
    changed = sum(not np.array_equal(plain, one) for one in ruled)
    assert 2 <= changed <= 8


@pytest.mark.parametrize("degraded", [False, True])
def test_the_seed_decides_everything(degraded):
    strips = [strip(200 + 10 * number, str(number)) for number in range(3)]
    first, second = (compose_canvas("c", strips, SHAPE, rng(3), degraded) for _ in range(2))

    assert np.array_equal(first[0], second[0])
    assert first[1] == second[1]
    orders = [[one.text for one in group_strips(strips, SHAPE[0], rng(3))[0]] for _ in range(2)]
    assert orders[0] == orders[1]
