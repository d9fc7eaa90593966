"""Degraded strips: each degradation does what it is named after, and the seed decides everything."""

import cv2
import numpy as np
import pytest

from text_recognizer.preprocess.line_degradation import DEGRADATIONS, degrade, stretch, thicken, thin


@pytest.fixture
def strip():
    picture = np.full((96, 400), 255, np.uint8)
    cv2.putText(picture, "a line", (30, 62), cv2.FONT_HERSHEY_SCRIPT_SIMPLEX, 1.5, 20, 2)
    return picture


def ink(picture):
    return float(np.count_nonzero(picture < 128))


@pytest.mark.parametrize("apply", [apply for _, apply in DEGRADATIONS], ids=lambda apply: apply.__name__)
def test_every_degradation_changes_the_strip_and_keeps_its_shape_and_its_paper(apply, strip):
    changed = apply(strip, np.random.default_rng(1))
    assert changed.shape == strip.shape
    assert changed.dtype == np.uint8
    assert not np.array_equal(changed, strip)
    assert np.median(changed) > 200


def test_thick_strokes_have_more_ink_and_thin_ones_less(strip):
    rng = np.random.default_rng(1)
    assert ink(thin(strip, rng)) < ink(strip) < ink(thicken(strip, rng))


def test_stretched_text_is_as_wide_as_before_and_of_another_height(strip):
    def extent(picture, axis):
        return np.count_nonzero((picture < 128).any(axis=axis))

    changed = stretch(strip, np.random.default_rng(2))
    assert extent(changed, 0) == pytest.approx(extent(strip, 0), abs=2)
    assert abs(extent(changed, 1) - extent(strip, 1)) > 2


def test_the_seed_decides_the_result(strip):
    first, again = (degrade(strip, np.random.default_rng(7)) for _ in range(2))
    assert np.array_equal(first, again)
    several = [degrade(strip, np.random.default_rng(seed)) for seed in range(12)]
    assert sum(not np.array_equal(one, strip) for one in several) >= 6
