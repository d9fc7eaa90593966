"""Augmentation: the ink stays on the page, a line stays at mid-height, and the seed decides the draw."""

import pytest
import torch
from torch.nn import functional as F

from text_recognizer.data.augmentation import OFFSET, augment_pages, augment_strips

HEIGHT, WIDTH = 96, 240
DRAWS = range(12)


def filled(*boxes):
    """Pictures (B, 1, H, W), each with foreground in one box (x, y, width, height)."""
    ink = torch.zeros(len(boxes), 1, HEIGHT, WIDTH)
    for number, (x, y, width, height) in enumerate(boxes):
        ink[number, 0, y : y + height, x : x + width] = 1
    return ink


def strips():
    """Two strips with a band of foreground at mid-height, of different lengths."""
    return filled((24, 36, 180, 24), (24, 36, 60, 24))


def draw(seed, ink=None, strength=1.0, elastic=0.0, side=1):
    torch.manual_seed(seed)
    return augment_strips(strips() if ink is None else ink, strength, elastic, side)


def middle_row(ink):
    """Return the row of the centre of gravity of the foreground of one picture."""
    return float(torch.nonzero(ink > 0.4)[:, -2].float().mean() + 0.5)


def test_a_strength_of_zero_is_the_identity():
    assert torch.equal(draw(1, strength=0), strips())
    assert torch.equal(augment_pages(strips(), 0.0), strips())


def test_any_strength_moves_the_ink():
    assert not torch.allclose(draw(1, strength=0.3), strips(), atol=0.1)


@pytest.mark.parametrize("augment", [augment_pages, augment_strips])
@pytest.mark.parametrize("seed", DRAWS)
def test_shape_and_range_stay(seed, augment):
    torch.manual_seed(seed)
    ink = augment(strips(), 1.0)
    assert ink.shape == (2, 1, HEIGHT, WIDTH)
    assert ink.min() >= 0
    assert ink.max() <= 1


def test_a_seed_gives_one_result():
    assert torch.equal(draw(5), draw(5))
    assert not torch.equal(draw(5), draw(6))


@pytest.mark.parametrize("augment", [augment_pages, augment_strips])
def test_every_picture_gets_its_own_random_draw(augment):
    torch.manual_seed(2)
    first, second = augment(filled((24, 36, 100, 24), (24, 36, 100, 24)), 0.5)
    assert ((first > 0.4) != (second > 0.4)).float().mean() > 0.01


@pytest.mark.parametrize("seed", DRAWS)
def test_the_ink_of_a_full_page_stays_on_it(seed):
    # Fading takes up to half of the foreground's strength, and a change of the strokes a pixel of its edge.
    torch.manual_seed(seed)
    (ink,) = augment_pages(filled((1, 1, WIDTH - 2, HEIGHT - 2)), 1.0)
    # A rotated and slanted page is smaller than the upright box around it.
    assert 0.3 * HEIGHT * WIDTH < (ink > 0.3).sum() < HEIGHT * WIDTH
    edges = torch.cat([ink[0, 0], ink[0, -1], ink[0, :, 0], ink[0, :, -1]])
    assert (edges > 0.3).float().mean() < 0.3


@pytest.mark.parametrize("seed", DRAWS)
def test_a_line_stays_near_mid_height_and_whole(seed):
    before = strips()
    for ink, strip in zip(draw(seed), before, strict=True):
        assert middle_row(ink) == pytest.approx(HEIGHT / 2, abs=OFFSET * HEIGHT + 1.5)
        smooth = F.avg_pool2d(ink, 7, stride=1, padding=3)[0]  # without the noise
        columns = torch.nonzero((smooth > 0.25).any(dim=0))
        # Magnification and stretch together change the length by at most exp(0.325); slant and rotation add little.
        length = float((strip[0] > 0).any(dim=0).sum())
        assert 0.68 * length < len(columns) < min(WIDTH, 1.4 * length + 12) + 1


def test_a_long_line_is_shrunk_to_fit():
    long = filled((0, 36, WIDTH, 24))
    for seed in DRAWS:
        (ink,) = draw(seed, ink=long)
        left, right = torch.nonzero((ink[0] > 0.3).any(dim=0)).flatten()[[0, -1]]
        assert left >= 0
        assert right < WIDTH
        # Both ends of the band are there: a column at each end is shorter than the band is high.
        heights = (ink[0] > 0.3).sum(dim=0)
        assert heights[left] <= heights[WIDTH // 2]
        assert right - left > 0.6 * WIDTH


def test_a_blank_strip_stays_blank_except_for_noise():
    assert draw(3, ink=torch.zeros(2, 1, HEIGHT, WIDTH)).mean() < 0.1


@pytest.mark.parametrize("seed", DRAWS)
def test_a_strip_of_twice_the_resolution_is_changed_in_the_same_way(seed):
    coarse = draw(seed, strength=0.5)
    finer = strips().repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    fine = draw(seed, ink=finer, strength=0.5, side=2)
    # What differs is the noise, which is drawn for each pixel, and half a pixel at the edges
    assert (F.avg_pool2d(fine, 2) - coarse).abs().mean() < 0.04


# --- elastic distortion


def test_an_elastic_distortion_moves_the_ink():
    moved = (draw(1, strength=0, elastic=2.0) > 0.5) != (strips() > 0.5)
    assert 0.005 < moved.float().mean() < 0.15


@pytest.mark.parametrize("elastic", [0.5, 1.5])
@pytest.mark.parametrize("seed", range(4))
def test_the_distortion_has_about_the_given_size_in_pixels(seed, elastic):
    # Given a ramp from left to right, so that the values of the result say where each pixel came from
    ramp = torch.arange(WIDTH).float().expand(2, 1, HEIGHT, WIDTH) / WIDTH
    ink = draw(seed, strength=0, ink=ramp.contiguous(), elastic=elastic)
    inner = (ink - ramp)[..., 10:-10, 10:-10] * WIDTH
    # Between the points at which it is drawn, the distortion is interpolated and therefore smaller
    assert 0.3 * elastic < inner.std() < 1.2 * elastic


def test_neighbouring_pixels_move_alike():
    ramp = torch.arange(WIDTH).float().expand(2, 1, HEIGHT, WIDTH) / WIDTH
    ink = draw(2, strength=0, ink=ramp.contiguous(), elastic=2.0)
    shift = (ink - ramp)[..., 10:-10, 10:-10] * WIDTH
    assert shift.diff(dim=2).abs().max() < 0.5


def test_autocast_does_not_change_the_result():
    ink = draw(4, elastic=1.0)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(draw(4, elastic=1.0), ink)
