"""Augmentation of a whole batch at once, on the device that it is on; every page gets its own random draw.

The ranges follow published readers of IAM (scale, shear, small rotations, stroke width, contrast, noise). Each is
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
KNOTS = 24  # squares between the points at which an elastic distortion is drawn
STROKE = 0.7  # largest share of a full dilation or erosion by one square per side
FADE = 0.5  # largest share of the foreground's strength that is lost
NOISE = 0.12  # of the range between paper and ink


def augment(
    ink: Tensor, boxes: Tensor, counts: list[int], strength: float, elastic: float = 0.0, side: int = 1
) -> tuple[Tensor, Tensor]:
    """Warp pages, change the width of their strokes, fade them and add noise; move the lines' boxes along.

    `ink` is (B, 1, H, W), 1 on ink and 0 on paper; `boxes` is (L, 4) as x, y, width, height in pixels, the next
    `counts[b]` of them on page `b`. Both are returned in the same shape and range; the box of a rotated line is upright
    around its middle. `elastic` is the standard deviation, in pixels, of an elastic distortion (Simard et al. 2003),
    which leaves the boxes unchanged. KNOTS and STROKE count in squares of `side` pixels: 1 at 75 dpi, 2 at 150.
    """
    if strength == 0 and elastic == 0:
        return ink, boxes
    # In half precision a coordinate on a page would be off by pixels.
    with torch.autocast(ink.device.type, enabled=False):
        return _augment(ink.float(), boxes, counts, strength, elastic, side)


def augment_pages(ink: Tensor, strength: float, elastic: float = 0.0) -> Tensor:
    """Apply `augment` to pages without boxes."""
    return augment(ink, ink.new_zeros(0, 4), [0] * len(ink), strength, elastic)[0]


def _augment(
    ink: Tensor, boxes: Tensor, counts: list[int], strength: float, elastic: float, side: int
) -> tuple[Tensor, Tensor]:
    matrix = _affine_maps(ink, strength)
    ink = _change_strokes(_warp(ink, matrix, elastic, KNOTS * side), strength, side)
    fade = 1 - FADE * strength * _uniform(ink, 0, 1)
    # In place: a batch of pages is too large for the cache, and every copy costs as much as the arithmetic.
    noise = torch.randn_like(ink).mul_(NOISE).mul_(strength).mul_(_uniform(ink, 0, 1))
    return ink.mul_(fade).add_(noise).clamp_(0, 1), _move(boxes, matrix, counts)


def _uniform(ink: Tensor, low: float, high: float) -> Tensor:
    """Draw one number per page, (B, 1, 1, 1)."""
    return torch.empty(len(ink), 1, 1, 1, device=ink.device).uniform_(low, high)


def _affine_maps(ink: Tensor, strength: float) -> Tensor:
    """Draw an affine map for each page, (B, 3, 3) in pixels, x before y, that keeps the ink on the canvas."""
    linear = _linear_maps(ink, strength)
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


def _warp(ink: Tensor, matrix: Tensor, elastic: float, spacing: int) -> Tensor:
    """Apply the maps and an elastic distortion, drawn at points `spacing` pixels apart."""
    height, width = ink.shape[2:]
    to_unit = matrix.new_tensor([[2 / width, 0, -1], [0, 2 / height, -1], [0, 0, 1]])
    theta = (to_unit @ torch.linalg.inv(matrix) @ torch.linalg.inv(to_unit))[:, :2]
    grid = F.affine_grid(theta, list(ink.shape), align_corners=False)
    if elastic:
        knots = (2, height // spacing + 2, width // spacing + 2)
        field = F.interpolate(torch.randn(len(ink), *knots, device=ink.device), (height, width), mode="bilinear")
        grid = grid + field.permute(0, 2, 3, 1) * elastic * grid.new_tensor((2 / width, 2 / height))
    return F.grid_sample(ink, grid, mode="bilinear", padding_mode="zeros", align_corners=False)


def _move(boxes: Tensor, matrix: Tensor, counts: list[int]) -> Tensor:
    """Move boxes (L, 4) by the maps of their pages."""
    of_line = matrix.repeat_interleave(torch.tensor(counts, device=matrix.device), dim=0)  # (L, 3, 3)
    size = boxes[:, 2:]
    middle = boxes[:, :2] + size / 2
    moved = (of_line[:, :2, :2] @ middle[:, :, None])[:, :, 0] + of_line[:, :2, 2]
    scaled = size * torch.diagonal(of_line[:, :2, :2], dim1=1, dim2=2)
    return torch.cat([moved - scaled / 2, scaled], dim=1)


def _linear_maps(ink: Tensor, strength: float) -> Tensor:
    """Draw magnification, stretch, slant and rotation of each page, (B, 2, 2)."""

    def draw(bound: float) -> Tensor:
        return torch.empty(len(ink), device=ink.device).uniform_(-bound, bound) * strength

    zoom, stretch, slant, angle = draw(SCALE), draw(STRETCH), draw(SHEAR), draw(ROTATION)
    wide, tall = torch.exp(zoom + stretch / 2), torch.exp(zoom - stretch / 2)
    return torch.stack([wide, slant - angle, angle, tall], dim=1).view(-1, 2, 2)


def _extent(ink: Tensor) -> Tensor:
    """Return the last column and row with ink of each page, counted from 1, as (B, 2)."""
    dark = ink[:, 0] > 0.5
    ends = []
    for axis in (1, 2):
        used = dark.any(dim=axis)
        count = torch.arange(1, used.shape[1] + 1, device=ink.device)
        ends.append((used * count).amax(dim=1).clamp(min=1))
    return torch.stack(ends, dim=1).float()


def _change_strokes(ink: Tensor, strength: float, side: int) -> Tensor:
    """Thicken (dilation) or thin (erosion) the strokes of each page, by up to `side` pixels on either side."""
    amount = _uniform(ink, -STROKE, STROKE) * strength
    # Erosion is the dilation of the negative, so one pooling does both; and a square is a column, then a row.
    signed = ink * torch.where(amount > 0, 1.0, -1.0)
    size = 2 * side + 1
    grown = F.max_pool2d(F.max_pool2d(signed, (size, 1), 1, (side, 0)), (1, size), 1, (0, side))
    return grown.sub_(signed).mul_(amount).add_(ink)
