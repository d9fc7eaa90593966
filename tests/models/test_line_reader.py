"""The reader's network: shapes, pooling against a plain loop, and independence of the strips of a batch."""

import pytest
import torch

from text_recognizer.models.line_reader import LineReader, ReaderConfig, TimeMask
from text_recognizer.pages.feature_grid import CELL_HEIGHT, CELL_WIDTH

CLASSES, EMBEDDING = 84, 8
CHANNELS = (4, 4, EMBEDDING, EMBEDDING)
HEIGHT, WIDTH = 48, 96
COLUMNS = WIDTH // CELL_WIDTH


@pytest.fixture(scope="module", params=[0, 6], ids=["convolutions", "LSTM"])
def model(request):
    """An untrained reader whose batch normalisation has the statistics of noise."""
    torch.manual_seed(3)
    network = LineReader(ReaderConfig(CLASSES, CHANNELS, 0.1, request.param))
    with torch.no_grad():
        for _ in range(20):
            network(torch.rand(4, 1, HEIGHT, WIDTH))
    return network.eval()


def strips(count):
    return torch.rand(count, 1, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(2))


@torch.no_grad()
def test_every_strip_gets_log_probabilities_over_the_charset_at_every_column(model):
    scores = model(strips(5))
    assert scores.shape == (5, COLUMNS, CLASSES)
    assert torch.allclose(scores.exp().sum(dim=2), torch.ones(5, COLUMNS), atol=1e-5)


@torch.no_grad()
def test_strips_of_another_width_are_read_by_the_same_weights(model):
    assert model(torch.zeros(1, 1, HEIGHT, 160)).shape == (1, 40, CLASSES)


@torch.no_grad()
def test_the_scores_of_a_strip_do_not_depend_on_the_other_strips_of_its_batch(model):
    together = model(strips(3))
    for strip, scores in zip(strips(3), together, strict=True):
        assert torch.allclose(model(strip[None])[0], scores, atol=1e-5)
    other = strips(3)
    other[0] = 1 - other[0]
    changed = model(other)
    assert not torch.allclose(changed[0], together[0], atol=1e-3)
    assert torch.allclose(changed[1:], together[1:], atol=1e-5)


@torch.no_grad()
def test_the_features_are_the_weighted_sum_of_the_rows_of_the_grid(model):
    x = strips(2)
    grid = model.deeper(model.encoder(x))
    weights = model.grid.pooling_weights(HEIGHT)
    assert grid.shape == (2, EMBEDDING, HEIGHT // CELL_HEIGHT, COLUMNS)
    expected = sum(float(weight) * grid[:, :, row] for row, weight in enumerate(weights))
    assert expected.abs().max() > 0.01
    assert torch.allclose(model.encode(x), expected, atol=1e-6)


def affected_columns(network):
    """Return the columns of a line whose log-probabilities change with its first column."""
    line = torch.rand(1, EMBEDDING, COLUMNS, generator=torch.Generator().manual_seed(4))
    other = line.clone()
    other[:, :, 0] += 5
    with torch.no_grad():
        return (network.read_lines(line) - network.read_lines(other)).abs().amax(dim=(0, 2)).gt(0).nonzero().flatten()


def test_two_convolutions_use_four_columns_on_each_side_and_an_lstm_the_whole_line():
    torch.manual_seed(3)
    convolutions = LineReader(ReaderConfig(CLASSES, CHANNELS, 0.0)).eval()
    lstm = LineReader(ReaderConfig(CLASSES, CHANNELS, 0.0, 16)).eval()
    assert affected_columns(convolutions).tolist() == [0, 1, 2, 3, 4]
    assert affected_columns(lstm).max() > 10


def reader_at(dpi):
    torch.manual_seed(3)
    return LineReader(ReaderConfig(CLASSES, CHANNELS, 0.1, dpi=dpi)).eval()


@pytest.mark.parametrize("dpi", [150, 300])
@torch.no_grad()
def test_a_finer_strip_has_the_columns_of_the_coarser_one(dpi):
    side = dpi // 75
    assert reader_at(dpi)(torch.rand(2, 1, side * HEIGHT, side * WIDTH)).shape == (2, COLUMNS, CLASSES)


@torch.no_grad()
def test_every_pixel_of_a_finer_strip_changes_the_features():
    network, strip = reader_at(150), torch.rand(1, 1, 96, 96)
    before = network.encode(strip)
    for pixel in ((30, 40), (30, 41), (31, 40), (31, 41)):
        other = strip.clone()
        other[0, 0, *pixel] += 1
        assert not torch.equal(network.encode(other), before)


@torch.no_grad()
def test_a_strip_that_ends_within_a_cell_is_padded_with_paper():
    network, strip = reader_at(60), torch.rand(1, 1, 38, 83)
    padded = torch.zeros(1, 1, 40, 84)
    padded[:, :, :38, :83] = strip
    weights = torch.from_numpy(network.grid.pooling_weights(38))
    expected = torch.einsum("lehw,h->lew", network.encoder(padded), weights)
    assert torch.allclose(network.encode(strip), expected, atol=1e-6)


# --- the time mask


def test_about_the_share_of_columns_is_masked_in_spans_that_differ_from_line_to_line():
    torch.manual_seed(1)
    masked = (TimeMask(0.12)(torch.ones(3000, 2, 160)) == 0).float()
    assert 0.08 < masked.mean() < 0.13
    assert torch.equal(masked[:, 0], masked[:, 1])
    assert masked[:, 0].unique(dim=0).shape[0] > 2900
    # The ends of a line are as likely as its middle, and masked columns come in spans
    assert masked[:, 0, :8].mean() == pytest.approx(float(masked[:, 0, 76:84].mean()), abs=0.015)
    starts = (masked[:, 0].diff(dim=1) > 0).sum()
    assert 2 < masked[:, 0].sum() / starts < 6


def test_nothing_is_masked_in_evaluation_or_with_a_share_of_zero():
    lines = torch.rand(5, 3, 40)
    assert torch.equal(TimeMask(0.5).eval()(lines), lines)
    state = torch.get_rng_state()
    assert torch.equal(TimeMask(0.0).train()(lines), lines)
    assert torch.equal(torch.get_rng_state(), state)


def test_the_mask_changes_the_scores_in_training():
    network = LineReader(ReaderConfig(CLASSES, CHANNELS, 0.0, time_mask=0.3)).train()
    lines = torch.rand(4, EMBEDDING, COLUMNS)
    assert not torch.equal(network.read_lines(lines), network.read_lines(lines))
