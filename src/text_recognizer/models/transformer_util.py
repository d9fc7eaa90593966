"""Positional encodings of tokens and of feature maps, and the causal mask of a decoder.

Sines and cosines of falling frequency (Vaswani et al. 2017, section 3.5), over one axis or over two (Singh and Karayev
2021). `S` positions, `B` batch, `E` embedding, `H W` rows and columns.
"""

import math

import torch
from torch import Tensor, nn

from text_recognizer.core.errors import ModelError

MAX_WAVELENGTH = 10_000.0  # in positions, divided by 2 pi


class PositionalEncoding(nn.Module):
    """Add their positions to embeddings `(S, B, E)`; `pe` is `(max_len, 1, E)`."""

    pe: Tensor

    def __init__(self, d_model: int, dropout: float = 0.1, max_len: int = 5000, persistent: bool = False) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.register_buffer("pe", self.make_pe(d_model, max_len), persistent=persistent)

    @staticmethod
    def make_pe(d_model: int, max_len: int) -> Tensor:
        """Return sines at even indices and cosines at odd ones, `(max_len, 1, d_model)`.

        Raises ModelError if `d_model` is odd.
        """
        if d_model % 2:
            raise ModelError(f"an embedding of {d_model} cannot hold positions", "choose an even width")
        position = torch.arange(max_len, dtype=torch.float)[:, None]
        frequency = torch.exp(torch.arange(0, d_model, 2, dtype=torch.float) * (-math.log(MAX_WAVELENGTH) / d_model))
        angle = position * frequency  # (max_len, d_model / 2)
        return torch.stack([angle.sin(), angle.cos()], dim=2).view(max_len, 1, d_model)

    def forward(self, x: Tensor) -> Tensor:
        if len(x) > len(self.pe):
            raise ModelError(f"{len(x)} tokens, but there are only {len(self.pe)} positions", "raise max_len")
        encoded: Tensor = self.dropout(x + self.pe[: len(x)])
        return encoded


class PositionalEncodingImage(nn.Module):
    """Add to a feature map `(B, E, H, W)` its rows, in the first half of E, and its columns; `pe` is `(E, H, W)`."""

    pe: Tensor

    def __init__(self, d_model: int, max_h: int = 2000, max_w: int = 2000, persistent: bool = False) -> None:
        super().__init__()
        self.register_buffer("pe", self.make_pe(d_model, max_h, max_w), persistent=persistent)

    @staticmethod
    def make_pe(d_model: int, max_h: int, max_w: int) -> Tensor:
        """Return the encoding `(d_model, max_h, max_w)`. Raises ModelError if `d_model` is no multiple of 4."""
        if d_model % 4:
            raise ModelError(f"an embedding of {d_model} cannot hold rows and columns", "choose a multiple of 4")
        rows = PositionalEncoding.make_pe(d_model // 2, max_h).permute(2, 0, 1)  # (E / 2, H, 1)
        columns = PositionalEncoding.make_pe(d_model // 2, max_w).permute(2, 1, 0)  # (E / 2, 1, W)
        return torch.cat([rows.expand(-1, -1, max_w), columns.expand(-1, max_h, -1)])

    def forward(self, x: Tensor) -> Tensor:
        (height, width), (rows, columns) = x.shape[2:], self.pe.shape[1:]
        if height > rows or width > columns:
            raise ModelError(
                f"features of {height} x {width}, but there are only {rows} x {columns} positions",
                "make the model for pictures of this size: input_dims of its data_config",
            )
        return x + self.pe[:, :height, :width]


def generate_square_subsequent_mask(size: int) -> Tensor:
    """Return the causal mask to add to attention scores, `(size, size)`: row i is 0 up to column i, then -inf."""
    return torch.full((size, size), float("-inf")).triu(diagonal=1)
