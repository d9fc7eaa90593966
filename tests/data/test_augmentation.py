"""Augmentation: the ink stays on the canvas, the boxes move with it, and the seed decides the draw."""

import pytest
import torch
from torch.nn import functional as F

from text_recognizer.data.augmentation import augment

HEIGHT, WIDTH = 96, 160
BOXES = torch.tensor([[10, 10, 100, 14], [20, 40, 90, 14], [16, 12, 60, 20]], dtype=torch.float32)
COUNTS = [2, 1]
DRAWS = range(12)


def filled_pages(boxes=BOXES, counts=COUNTS):
    """Pages whose foreground fills their boxes, (B, 1, H, W)."""
    ink = torch.zeros(len(counts), 1, HEIGHT, WIDTH)
    pages = [page for page, count in enumerate(counts) for _ in range(count)]
    for page, (x, y, width, height) in zip(pages, boxes.round().int().tolist(), strict=True):
        ink[page, 0, max(0, y) : y + height, max(0, x) : x + width] = 1
    return ink


def draw(seed, strength=1.0, ink=None, elastic=0.0):
    torch.manual_seed(seed)
    return augment(filled_pages() if ink is None else ink, BOXES, COUNTS, strength, elastic)


def centre(ink):
    """Return the centre of gravity of the foreground, (row, column)."""
    rows, columns = torch.nonzero(ink > 0.4, as_tuple=True)
    return rows.float().mean() + 0.5, columns.float().mean() + 0.5


def test_a_strength_of_zero_is_the_identity():
    ink = filled_pages()
    out, boxes = draw(1, strength=0, ink=ink)
    assert torch.equal(out, ink)
    assert torch.equal(boxes, BOXES)


def test_any_strength_moves_the_ink():
    assert not torch.allclose(draw(1, strength=0.3)[0], filled_pages(), atol=0.1)


@pytest.mark.parametrize("seed", DRAWS)
def test_shape_and_range_stay(seed):
    ink, boxes = draw(seed)
    assert (ink.shape, boxes.shape) == ((2, 1, HEIGHT, WIDTH), BOXES.shape)
    assert ink.min() >= 0
    assert ink.max() <= 1


def test_the_same_seed_gives_the_same_result():
    first, second = draw(5), draw(5)
    assert torch.equal(first[0], second[0])
    assert torch.equal(first[1], second[1])


def test_another_seed_gives_another_result():
    assert not torch.equal(draw(5)[1], draw(6)[1])


def test_every_page_gets_its_own_random_draw():
    ink = filled_pages(BOXES[:1].repeat(2, 1), [1, 1])
    torch.manual_seed(2)
    _, boxes = augment(ink, BOXES[:1].repeat(2, 1), [1, 1], 1.0)
    assert not torch.allclose(boxes[0], boxes[1], atol=0.5)


@pytest.mark.parametrize("seed", DRAWS)
def test_no_box_leaves_the_canvas(seed):
    _, boxes = draw(seed)
    assert (boxes[:, :2] > -1).all()
    assert (boxes[:, :2] + boxes[:, 2:] < torch.tensor([WIDTH + 1, HEIGHT + 1])).all()


@pytest.mark.parametrize("seed", DRAWS)
def test_the_ink_of_a_full_page_stays_on_the_canvas(seed):
    # Fading takes up to half of the foreground's strength, and a change of the strokes a pixel of its edge.
    full = torch.tensor([[1.0, 1, WIDTH - 2, HEIGHT - 2]])
    torch.manual_seed(seed)
    ink, boxes = augment(filled_pages(full, [1]), full, [1], 1.0)
    assert (ink > 0.3).sum() == pytest.approx(float(boxes[0, 2] * boxes[0, 3]), rel=0.15)


@pytest.mark.parametrize("seed", DRAWS)
def test_the_boxes_move_with_their_ink(seed):
    # One line per page, so that the centre of gravity is that of the line.
    for box in BOXES:
        torch.manual_seed(seed)
        ink, boxes = augment(filled_pages(box[None], [1]), box[None], [1], 1.0)
        row, column = centre(ink[0, 0])
        middle = boxes[0, :2] + boxes[0, 2:] / 2
        assert torch.allclose(middle, torch.stack([column, row]), atol=1.5)


def test_a_blank_page_stays_blank_except_for_noise():
    ink, _ = draw(3, ink=torch.zeros(2, 1, HEIGHT, WIDTH))
    assert ink.mean() < 0.1


@pytest.mark.parametrize("seed", DRAWS)
def test_a_page_of_twice_the_resolution_is_changed_in_the_same_way(seed):
    torch.manual_seed(seed)
    coarse, boxes = augment(filled_pages(), BOXES, COUNTS, 0.5)
    torch.manual_seed(seed)
    finer = filled_pages().repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
    fine, moved = augment(finer, 2 * BOXES, COUNTS, 0.5, side=2)
    assert torch.allclose(moved, 2 * boxes, atol=1.0)
    # What differs is the noise, which is drawn for each pixel, and half a pixel at the edges
    assert (F.avg_pool2d(fine, 2) - coarse).abs().mean() < 0.04


# --- elastic distortion


def test_an_elastic_distortion_moves_the_ink_and_not_the_boxes():
    ink, boxes = draw(1, strength=0, elastic=2.0)
    assert torch.equal(boxes, BOXES)
    moved = (ink > 0.5) != (filled_pages() > 0.5)
    assert 0.01 < moved.float().mean() < 0.15


@pytest.mark.parametrize("elastic", [0.5, 1.5])
@pytest.mark.parametrize("seed", range(4))
def test_the_distortion_has_about_the_given_size_in_pixels(seed, elastic):
    # Given a ramp from left to right, so that the values of the result say where each pixel came from
    ramp = torch.arange(WIDTH).float().expand(2, 1, HEIGHT, WIDTH) / WIDTH
    ink, _ = draw(seed, strength=0, ink=ramp.contiguous(), elastic=elastic)
    inner = (ink - ramp)[..., 10:-10, 10:-10] * WIDTH
    # Between the points at which it is drawn, the distortion is interpolated and therefore smaller
    assert 0.3 * elastic < inner.std() < 1.2 * elastic


def test_neighbouring_pixels_move_alike():
    ramp = torch.arange(WIDTH).float().expand(2, 1, HEIGHT, WIDTH) / WIDTH
    ink, _ = draw(2, strength=0, ink=ramp.contiguous(), elastic=2.0)
    shift = (ink - ramp)[..., 10:-10, 10:-10] * WIDTH
    assert shift.diff(dim=2).abs().max() < 0.5


def test_autocast_does_not_change_the_result():
    ink, boxes = draw(4, elastic=1.0)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        same, same_boxes = draw(4, elastic=1.0)
    assert torch.equal(ink, same)
    assert torch.equal(boxes, same_boxes)
