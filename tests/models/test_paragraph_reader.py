"""The reader's network: shapes on the grid, line pooling against a plain loop, and independence of pages."""

import copy

import pytest
import torch

from text_recognizer.core.charset import END_ID, NEWLINE_ID, PADDING_ID, START_ID, collapse, decode
from text_recognizer.models.paragraph_reader import ParagraphReader, ReaderConfig, TimeMask, joined, pool
from text_recognizer.pages.line_heatmap import CELL_HEIGHT, CELL_WIDTH, find_lines, pooling_weights

CLASSES, EMBEDDING = 84, 8
CHANNELS = (4, 4, EMBEDDING, EMBEDDING)
HEIGHT, WIDTH = 64, 96
ROWS, COLUMNS = HEIGHT // CELL_HEIGHT, WIDTH // CELL_WIDTH


@pytest.fixture(scope="module", params=[0, 6], ids=["convolutions", "LSTM"])
def model(request):
    """An untrained reader whose batch normalisation has the statistics of noise."""
    torch.manual_seed(3)
    network = ParagraphReader(ReaderConfig(CLASSES, CHANNELS, 0.1, request.param))
    with torch.no_grad():
        for _ in range(20):
            score(network, torch.rand(4, 1, HEIGHT, WIDTH), line_weights(4), [1, 1, 1, 1])
    return network.eval()


def score(model, x, weights, counts):
    """Read given lines: page `b` has the next `counts[b]` of them, pooled by `weights` (L, h)."""
    features, heatmaps = model.encode(x)
    return model.read_lines(pool(features, weights, counts)), heatmaps


def pages(count):
    return torch.rand(count, 1, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(2))


def line_weights(count):
    return torch.rand(count, ROWS, generator=torch.Generator().manual_seed(3)).softmax(dim=1)


def test_the_grid_has_a_cell_for_every_8_by_4_pixels(model):
    features, heatmaps = model.encode(pages(3))
    assert (features.shape, heatmaps.shape) == ((3, EMBEDDING, ROWS, COLUMNS), (3, ROWS, COLUMNS))


def test_every_line_gets_log_probabilities_over_the_charset_at_every_column(model):
    scores, heatmaps = score(model, pages(3), line_weights(5), [2, 1, 2])
    assert (scores.shape, heatmaps.shape) == ((5, COLUMNS, CLASSES), (3, ROWS, COLUMNS))
    assert torch.allclose(scores.exp().sum(dim=2), torch.ones(5, COLUMNS), atol=1e-5)


def test_a_canvas_of_another_size_is_read_by_the_same_weights(model):
    features, heatmaps = model.encode(torch.zeros(1, 1, 32, 160))
    assert (features.shape, heatmaps.shape) == ((1, EMBEDDING, 4, 40), (1, 4, 40))


def test_the_scores_of_a_page_do_not_depend_on_the_other_pages_of_its_batch(model):
    counts = [2, 1, 2]
    together, heatmaps = score(model, pages(3), line_weights(5), counts)
    for page, (ink, scores, weights) in enumerate(
        zip(pages(3), together.split(counts), line_weights(5).split(counts), strict=True)
    ):
        alone, own_heatmap = score(model, ink[None], weights, [counts[page]])
        assert torch.allclose(alone, scores, atol=1e-5)
        assert torch.allclose(own_heatmap[0], heatmaps[page], atol=1e-5)


def test_a_page_changes_only_its_own_scores(model):
    scores, _ = score(model, pages(2), line_weights(2), [1, 1])
    other = pages(2)
    other[0] = 1 - other[0]
    changed, _ = score(model, other, line_weights(2), [1, 1])
    assert not torch.allclose(changed[0], scores[0], atol=1e-3)
    assert torch.allclose(changed[1], scores[1], atol=1e-5)


def texts_found(model, page):
    """Return the texts of the lines that the model finds on a page (1, H, W), each read alone."""
    features, heatmaps = model.encode(page[None])
    centres = find_lines(heatmaps[0].sigmoid().numpy(), model.grid)
    lines = torch.from_numpy(pooling_weights(centres, ROWS, model.grid))
    return [
        decode(collapse(model.read_lines(pool(features, line[None], [1]))[0].argmax(dim=1).tolist())) for line in lines
    ]


@torch.no_grad()
def test_a_page_s_tokens_are_the_lines_that_it_finds_between_start_and_end(model):
    tokens = model(pages(3))
    for page, row in zip(pages(3), tokens.tolist(), strict=True):
        end = row.index(END_ID)
        assert row[0] == START_ID
        assert set(row[end + 1 :]) <= {PADDING_ID}
        assert decode(row[1:end]) == "\n".join(texts_found(model, page))


def test_pages_without_lines_have_no_text(model):
    silent = copy.deepcopy(model)
    silent.row_head[-1].bias.data.fill_(-100.0)
    assert silent(pages(2)).tolist() == [[START_ID, END_ID]] * 2


def test_special_tokens_are_left_out_of_the_text():
    assert joined([[5, END_ID, 6], [], [7]]) == [5, 6, NEWLINE_ID, NEWLINE_ID, 7]


def test_pooling_is_the_weighted_sum_of_the_rows_of_the_line_s_own_page():
    features, weights, counts = torch.rand(3, 2, ROWS, 5), line_weights(4), [1, 2, 1]
    expected = torch.zeros(4, 2, 5)
    for line, page in enumerate([0, 1, 1, 2]):
        for row in range(ROWS):
            expected[line] += weights[line, row] * features[page, :, row]
    assert torch.allclose(pool(features, weights, counts), expected, atol=1e-6)


def test_a_page_without_lines_does_not_change_the_lines_of_others():
    features = torch.rand(2, 2, ROWS, 5)
    pooled = pool(features, line_weights(1), [0, 1])
    assert torch.allclose(pooled, pool(features[1:], line_weights(1), [1]))


@pytest.mark.parametrize("counts", [[1, 1], [1, 1, 2], [3]])
def test_counts_that_do_not_fit_pages_and_lines_are_refused(counts):
    with pytest.raises((ValueError, RuntimeError)):
        pool(torch.rand(2, 2, ROWS, 5), line_weights(3), counts)


def affected_columns(network):
    """Return the columns of a line whose log-probabilities change with its first column."""
    line = torch.rand(1, EMBEDDING, COLUMNS, generator=torch.Generator().manual_seed(4))
    other = line.clone()
    other[:, :, 0] += 5
    with torch.no_grad():
        return (network.read_lines(line) - network.read_lines(other)).abs().amax(dim=(0, 2)).gt(0).nonzero().flatten()


def test_two_convolutions_use_four_columns_on_each_side_and_an_lstm_the_whole_line():
    torch.manual_seed(3)
    convolutions = ParagraphReader(ReaderConfig(CLASSES, CHANNELS, 0.0)).eval()
    lstm = ParagraphReader(ReaderConfig(CLASSES, CHANNELS, 0.0, 16)).eval()
    assert affected_columns(convolutions).tolist() == [0, 1, 2, 3, 4]
    assert affected_columns(lstm).max() > 10


def reader_at(dpi):
    torch.manual_seed(3)
    return ParagraphReader(ReaderConfig(CLASSES, CHANNELS, 0.1, dpi=dpi)).eval()


@pytest.mark.parametrize("dpi", [150, 300])
def test_a_finer_page_has_the_grid_of_the_coarser_one(dpi):
    side = dpi // 75
    features, heatmaps = reader_at(dpi).encode(torch.rand(2, 1, side * HEIGHT, side * WIDTH))
    assert (features.shape, heatmaps.shape) == ((2, EMBEDDING, ROWS, COLUMNS), (2, ROWS, COLUMNS))


@torch.no_grad()
def test_every_pixel_of_a_finer_page_changes_the_features():
    network, page = reader_at(150), torch.rand(1, 1, 64, 96)
    before = network.encode(page)[0]
    for pixel in ((30, 40), (30, 41), (31, 40), (31, 41)):
        other = page.clone()
        other[0, 0, *pixel] += 1
        assert not torch.equal(network.encode(other)[0], before)


@pytest.mark.parametrize("dpi", [75, 150])
@torch.no_grad()
def test_a_page_that_ends_within_a_cell_is_padded_with_paper(dpi):
    network = reader_at(dpi)
    page = torch.rand(1, 1, 61, 83)
    down, across = network.grid.size(61, 83)
    whole = torch.zeros(1, 1, down * network.grid.cell_height, across * network.grid.cell_width)
    whole[:, :, :61, :83] = page
    assert torch.equal(network.encode(page)[0], network.encode(whole)[0])


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
    network = ParagraphReader(ReaderConfig(CLASSES, CHANNELS, 0.0, time_mask=0.3)).train()
    lines = torch.rand(4, EMBEDDING, COLUMNS)
    assert not torch.equal(network.read_lines(lines), network.read_lines(lines))
