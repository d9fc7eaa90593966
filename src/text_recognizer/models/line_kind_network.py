"""A small convolutional network that tells handwritten lines from printed ones and from pictures."""

import torch
from torch import Tensor, nn

KINDS = 3
# Output channels and stride (down, across) of each block. The strides across multiply to 8.
BLOCKS = ((12, (2, 2)), (24, (2, 2)), (32, (1, 1)), (48, (2, 2)), (64, (1, 1)), (96, (2, 1)))


class LineKindNetwork(nn.Module):
    """Strips (B, 1, H, W) and their widths (B,) in pixels become logits (B, KINDS).

    Columns beyond a strip's width are set to 0 after each block, so that padding changes nothing.
    """

    def __init__(self, dropout: float = 0.2) -> None:
        super().__init__()
        channels = [1, *(size for size, _ in BLOCKS)]
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(before, after, 3, stride=stride, padding=1, bias=False), nn.BatchNorm2d(after), nn.ReLU()
            )
            for before, (after, stride) in zip(channels, BLOCKS, strict=False)
        )
        self.dropout = nn.Dropout(dropout)
        self.classify = nn.Linear(2 * channels[-1], KINDS)

    def forward(self, strips: Tensor, widths: Tensor) -> Tensor:
        x = strips
        mask = (torch.arange(strips.shape[3], device=strips.device)[None] < widths[:, None]).to(x.dtype)
        mask = mask[:, None, None]  # (B, 1, 1, W)
        for block, (_, (_, across)) in zip(self.blocks, BLOCKS, strict=True):
            mask = mask[..., ::across]
            x = block(x) * mask
        columns = x.mean(dim=2)  # (B, C, w)
        average = columns.sum(dim=2) / mask.sum(dim=3)[:, 0]
        # Features are never negative, so the padding's zeros do not change the maximum.
        pooled = torch.cat([average, x.amax(dim=(2, 3))], dim=1)
        logits: Tensor = self.classify(self.dropout(pooled))
        return logits
