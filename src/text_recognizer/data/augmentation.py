"""Augmentation of a whole batch at once, on the device that it is on; every page or strip gets its own random draw.

The ranges follow published readers of IAM (scale, shear, small rotations, stroke width, contrast, noise). Each is
multiplied by `strength`.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from text_recognizer.pages.strips import STRIP_HEIGHT, TEXT_HEIGHT

SCALE = 0.25  # log-uniform magnification
STRETCH = 0.15  # log-uniform ratio of width to height
SHEAR = 0.4  # horizontal, as slant: tangent of the angle
ROTATION = math.radians(3)
OFFSET = 0.05  # of the height of a strip, up and down
KNOTS = 24  # squares between the points at which an elastic distortion is drawn
STROKE = 0.7  # largest share of a full dilation or erosion by one square per side
FADE = 0.5  # largest share of the foreground's strength that is lost
NOISE = 0.12  # of the range between paper and ink


def augment_pages(ink: Tensor, strength: float, elastic: float = 0.0) -> Tensor:
    """Warp pages, change the width of their strokes, fade them and add noise. All ink stays on the page.

    `ink` is (B, 1, H, W), 1 on ink and 0 on paper; the result has the same shape and range. `elastic` is the standard
    deviation, in pixels, of an elastic distortion (Simard et al. 2003).
    """
    return _augment(ink, _page_maps, strength, elastic) if strength or elastic else ink


def augment_strips(ink: Tensor, strength: float, elastic: float = 0.0, side: int = 1) -> Tensor:
    """Augment strips (L, 1, H, W) of one line each as `augment_pages` does pages. The line stays near mid-height.

    KNOTS and STROKE count in squares of `side` pixels: 1 at 75 dpi, 2 at 150.
    """
    return _augment(ink, _strip_maps, strength, elastic, side) if strength or elastic else ink


def _augment(
    ink: Tensor, maps: Callable[[Tensor, float], Tensor], strength: float, elastic: float = 0.0, side: int = 1
) -> Tensor:
    # In half precision a coordinate on a page would be off by pixels.
    with torch.autocast(ink.device.type, enabled=False):
        ink = ink.float()
        return _degrade(_warp(ink, maps(ink, strength), elastic, KNOTS * side), strength, side)


def _degrade(ink: Tensor, strength: float, side: int) -> Tensor:
    """Change the width of strokes, fade them and add noise."""
    ink = _change_strokes(ink, strength, side)
    fade = 1 - FADE * strength * _uniform(ink, 0, 1)
    # In place: a batch of pages is too large for the cache, and every copy costs as much as the arithmetic.
    noise = torch.randn_like(ink).mul_(NOISE).mul_(strength).mul_(_uniform(ink, 0, 1))
    return ink.mul_(fade).add_(noise).clamp_(0, 1)


def _uniform(ink: Tensor, low: float, high: float) -> Tensor:
    """Draw one number per page, (B, 1, 1, 1)."""
    return torch.empty(len(ink), 1, 1, 1, device=ink.device).uniform_(low, high)


def _page_maps(ink: Tensor, strength: float) -> Tensor:
    """Draw an affine map for each page, (B, 3, 3) in pixels, x before y, that keeps the ink on the page."""
    extent = _extent(ink)
    linear = _linear_maps(ink, strength)
    low, size = _moved(linear, torch.zeros_like(extent), extent)
    canvas = extent.new_tensor((ink.shape[3], ink.shape[2]))
    shrink = (canvas / size).amin(dim=1).clamp(max=1)[:, None]
    shift = torch.rand_like(extent) * (canvas - size * shrink) - low * shrink
    return _homogeneous(linear * shrink[:, :, None], shift)


def _strip_maps(ink: Tensor, strength: float) -> Tensor:
    """Draw an affine map for each strip, (L, 3, 3) in pixels, x before y, that keeps the line in it, at mid-height."""
    width, height = ink.shape[3], ink.shape[2]
    right = _extent(ink)[:, :1]
    text = right.new_tensor(TEXT_HEIGHT / STRIP_HEIGHT * height).expand_as(right)
    top = (height - text) / 2
    linear = _linear_maps(ink, strength)
    low, size = _moved(linear, torch.cat([torch.zeros_like(right), top], 1), torch.cat([right, text], 1))
    shrink = (width / size[:, :1]).clamp(max=1)
    linear = linear * shrink[:, :, None]
    x = torch.rand_like(right) * (width - size[:, :1] * shrink) - low[:, :1] * shrink
    middle = torch.cat([right, right.new_full(right.shape, height)], 1) / 2
    offset = (2 * torch.rand_like(right) - 1) * OFFSET * strength * height
    y = height / 2 + offset - (linear @ middle[:, :, None])[:, 1]
    return _homogeneous(linear, torch.cat([x, y], 1))


def _moved(linear: Tensor, start: Tensor, extent: Tensor) -> tuple[Tensor, Tensor]:
    """Apply maps (B, 2, 2) to boxes that begin at `start` (B, 2). Return start and extent of the boxes around them."""
    corners = torch.stack(
        [start + extent * extent.new_tensor(corner) for corner in ((0, 0), (1, 0), (0, 1), (1, 1))], dim=1
    )
    moved = corners @ linear.transpose(1, 2)  # (B, 4, 2)
    low = moved.amin(dim=1)
    return low, moved.amax(dim=1) - low


def _homogeneous(linear: Tensor, shift: Tensor) -> Tensor:
    """Return maps (B, 3, 3) that apply `linear` (B, 2, 2), then `shift` (B, 2)."""
    matrix = torch.zeros(len(linear), 3, 3, device=linear.device)
    matrix[:, :2, :2], matrix[:, :2, 2], matrix[:, 2, 2] = linear, shift, 1
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
