"""Augmentation of a whole batch at once, on the device that it is on; every page gets its own draw.

Ranges follow what published readers of IAM use (scale, shear, small rotations, stroke width, contrast, noise); each is
multiplied by `strength`.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

SCALE = 0.25  # log-uniform magnification
STRETCH = 0.15  # log-uniform ratio of width to height
SHEAR = 0.4  # horizontal, as slant: tangent of the angle
ROTATION = math.radians(3)
KNOTS = 24  # steps between the points where an elastic distortion is drawn
STROKE = 0.7  # of the way to strokes a step thicker or thinner a side
FADE = 0.5  # of the ink
NOISE = 0.12  # of the range between paper and ink


def augment(
    ink: Tensor, boxes: Tensor, counts: list[int], strength: float, bend: float = 0.0, step: int = 1
) -> tuple[Tensor, Tensor]:
    """Pages warped, their strokes thickened or thinned, faded, with noise; and the lines' boxes moved with them.

    `ink` (B, 1, H, W), 1 where there is ink; `boxes` (L, 4), x, y, width, height in pixels, `counts[b]` of them a page.
    Both come back in the same shape and range; a turned box becomes an upright one about its middle. `bend` is the
    standard deviation, in pixels, of an elastic distortion (Simard et al. 2003), which leaves the boxes as they are.
    `step` is how many pixels KNOTS and STROKE count by: 1 at 75 dpi, 2 at 150.
    """
    if strength == 0 and bend == 0:
        return ink, boxes
    # In half precision a coordinate on a page would be off by pixels.
    with torch.autocast(ink.device.type, enabled=False):
        return _augment(ink.float(), boxes, counts, strength, bend, step)


def augment_pages(ink: Tensor, strength: float, bend: float = 0.0) -> Tensor:
    """`augment` where nobody asks for boxes."""
    return augment(ink, ink.new_zeros(0, 4), [0] * len(ink), strength, bend)[0]


def _augment(
    ink: Tensor, boxes: Tensor, counts: list[int], strength: float, bend: float, step: int
) -> tuple[Tensor, Tensor]:
    matrix = _map(ink, strength)
    ink = _stroke(_warp(ink, matrix, bend, KNOTS * step), strength, step)
    fade = 1 - FADE * strength * _uniform(ink, 0, 1)
    # In place: a batch of pages is too large for the cache, and every copy costs as much as the arithmetic.
    noise = torch.randn_like(ink).mul_(NOISE).mul_(strength).mul_(_uniform(ink, 0, 1))
    return ink.mul_(fade).add_(noise).clamp_(0, 1), _move(boxes, matrix, counts)


def _uniform(ink: Tensor, low: float, high: float) -> Tensor:
    """One draw a page, (B, 1, 1, 1)."""
    return torch.empty(len(ink), 1, 1, 1, device=ink.device).uniform_(low, high)


def _map(ink: Tensor, strength: float) -> Tensor:
    """A random affine map of each page, (B, 3, 3) in pixels, x before y; the ink stays somewhere on the canvas."""
    linear = _linear(ink, strength)
    extent = _extent(ink)
    corners = torch.stack([extent * extent.new_tensor(corner) for corner in ((0, 0), (1, 0), (0, 1), (1, 1))], dim=1)
    moved = corners @ linear.transpose(1, 2)  # (B, 4, 2)
    low, size = moved.amin(dim=1), moved.amax(dim=1) - moved.amin(dim=1)
    canvas = extent.new_tensor((ink.shape[3], ink.shape[2]))
    shrink = (canvas / size).amin(dim=1).clamp(max=1)[:, None]
    shift = torch.rand_like(extent) * (canvas - size * shrink) - low * shrink if strength else 0
    matrix = torch.zeros(len(ink), 3, 3, device=ink.device)
    matrix[:, :2, :2], matrix[:, :2, 2], matrix[:, 2, 2] = linear * shrink[:, :, None], shift, 1
    return matrix


def _warp(ink: Tensor, matrix: Tensor, bend: float, apart: int) -> Tensor:
    height, width = ink.shape[2:]
    to_unit = matrix.new_tensor([[2 / width, 0, -1], [0, 2 / height, -1], [0, 0, 1]])
    theta = (to_unit @ torch.linalg.inv(matrix) @ torch.linalg.inv(to_unit))[:, :2]
    grid = F.affine_grid(theta, list(ink.shape), align_corners=False)
    if bend:
        knots = (2, height // apart + 2, width // apart + 2)
        field = F.interpolate(torch.randn(len(ink), *knots, device=ink.device), (height, width), mode="bilinear")
        grid = grid + field.permute(0, 2, 3, 1) * bend * grid.new_tensor((2 / width, 2 / height))
    return F.grid_sample(ink, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def _move(boxes: Tensor, matrix: Tensor, counts: list[int]) -> Tensor:
    of_line = matrix.repeat_interleave(torch.tensor(counts, device=matrix.device), dim=0)  # (L, 3, 3)
    size = boxes[:, 2:]
    middle = boxes[:, :2] + size / 2
    moved = (of_line[:, :2, :2] @ middle[:, :, None])[:, :, 0] + of_line[:, :2, 2]
    scaled = size * torch.diagonal(of_line[:, :2, :2], dim1=1, dim2=2)
    return torch.cat([moved - scaled / 2, scaled], dim=1)


def _linear(ink: Tensor, strength: float) -> Tensor:
    """Magnification, stretch, slant and rotation of each page, (B, 2, 2)."""

    def draw(bound: float) -> Tensor:
        return torch.empty(len(ink), device=ink.device).uniform_(-bound, bound) * strength

    zoom, stretch, slant, angle = draw(SCALE), draw(STRETCH), draw(SHEAR), draw(ROTATION)
    wide, tall = torch.exp(zoom + stretch / 2), torch.exp(zoom - stretch / 2)
    return torch.stack([wide, slant - angle, angle, tall], dim=1).view(-1, 2, 2)


def _extent(ink: Tensor) -> Tensor:
    """The last inked column and row of each page, counted from 1, as (B, 2)."""
    dark = ink[:, 0] > 0.5
    ends = []
    for axis in (1, 2):
        inked = dark.any(dim=axis)
        count = torch.arange(1, inked.shape[1] + 1, device=ink.device)
        ends.append((inked * count).amax(dim=1).clamp(min=1))
    return torch.stack(ends, dim=1).float()


def _stroke(ink: Tensor, strength: float, step: int) -> Tensor:
    """Thickens (dilation) or thins (erosion) the strokes of some pages, by up to `step` pixels a side."""
    amount = _uniform(ink, -STROKE, STROKE) * strength
    # Erosion is the dilation of the negative, so one pooling does for both; and a square is a column, then a row.
    signed = ink * torch.where(amount > 0, 1.0, -1.0)
    side = 2 * step + 1
    grown = F.max_pool2d(F.max_pool2d(signed, (side, 1), 1, (step, 0)), (1, side), 1, (0, step))
    return grown.sub_(signed).mul_(amount).add_(ink)
