"""Positional encodings and the causal mask."""

import math

import pytest
import torch

from text_recognizer.core.errors import ModelError
from text_recognizer.models.transformer_util import (
    PositionalEncoding,
    PositionalEncodingImage,
    generate_square_subsequent_mask,
)


def test_a_position_is_sines_and_cosines_of_falling_frequency():
    pe = PositionalEncoding(d_model=6, dropout=0.0, max_len=50).pe
    assert pe.shape == (50, 1, 6)
    for position, index in ((0, 0), (7, 1), (49, 2)):
        angle = position / 10_000 ** (2 * index / 6)
        assert pe[position, 0, 2 * index : 2 * index + 2].tolist() == pytest.approx(
            [math.sin(angle), math.cos(angle)], abs=1e-5
        )


def test_positions_are_added_and_are_not_part_of_the_weights():
    encoding = PositionalEncoding(d_model=8, dropout=0.0, max_len=9)
    assert torch.equal(encoding(torch.zeros(5, 2, 8)), encoding.pe[:5].expand(5, 2, 8))
    assert encoding.state_dict() == {}


def test_a_picture_has_its_row_in_the_first_half_and_its_column_in_the_second():
    pe = PositionalEncodingImage(d_model=8, max_h=3, max_w=5).pe
    one = PositionalEncoding.make_pe(4, 5)[:, 0]
    assert pe.shape == (8, 3, 5)
    assert torch.equal(pe[:4, 2, 1], one[2])
    assert torch.equal(pe[4:, 2, 1], one[1])


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: PositionalEncoding(d_model=7),
        lambda: PositionalEncodingImage(d_model=6),
        lambda: PositionalEncoding(8, max_len=3)(torch.zeros(4, 1, 8)),
        lambda: PositionalEncodingImage(8, 2, 2)(torch.zeros(1, 8, 2, 3)),
    ],
)
def test_a_size_without_an_encoding_is_refused(wrong):
    with pytest.raises(ModelError):
        wrong()


def test_the_mask_allows_each_position_itself_and_earlier_ones():
    mask = generate_square_subsequent_mask(4)
    assert torch.exp(mask).tolist() == [[1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1]]
