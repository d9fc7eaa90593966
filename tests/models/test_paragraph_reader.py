"""The network: shapes on the grid, pooling against a plain loop, and pages that do not meet one another."""

import copy

import pytest
import torch

from text_recognizer.bands import find_lines, pooling
from text_recognizer.models import ParagraphReader
from text_recognizer.models.paragraph_reader import CELL_HEIGHT, CELL_WIDTH, joined, pool
from text_recognizer.text import END_ID, NEWLINE_ID, PADDING_ID, START_ID, collapse, decode

CLASSES, EMBEDDING = 84, 8
HEIGHT, WIDTH = 64, 96
ROWS, COLUMNS = HEIGHT // CELL_HEIGHT, WIDTH // CELL_WIDTH


@pytest.fixture(scope="module", params=[0, 6], ids=["convolutions", "LSTM"])
def model(request):
    """Untrained, with the statistics of batch normalisation that noise has."""
    torch.manual_seed(3)
    network = ParagraphReader(CLASSES, (4, 4, EMBEDDING, EMBEDDING), 0.1, request.param)
    with torch.no_grad():
        for _ in range(20):
            network.score(torch.rand(4, 1, HEIGHT, WIDTH), line_weights(4), [1, 1, 1, 1])
    return network.eval()


def pages(count):
    return torch.rand(count, 1, HEIGHT, WIDTH, generator=torch.Generator().manual_seed(2))


def line_weights(count):
    return torch.rand(count, ROWS, generator=torch.Generator().manual_seed(3)).softmax(dim=1)


def test_the_grid_has_a_cell_for_every_8_by_4_pixels(model):
    features, heat = model.encode(pages(3))
    assert (features.shape, heat.shape) == ((3, EMBEDDING, ROWS, COLUMNS), (3, ROWS, COLUMNS))


def test_every_line_gets_log_probabilities_over_the_charset_at_every_column(model):
    scores, heat = model.score(pages(3), line_weights(5), [2, 1, 2])
    assert (scores.shape, heat.shape) == ((5, COLUMNS, CLASSES), (3, ROWS, COLUMNS))
    assert torch.allclose(scores.exp().sum(dim=2), torch.ones(5, COLUMNS), atol=1e-5)


def test_a_canvas_of_another_size_is_read_by_the_same_weights(model):
    features, heat = model.encode(torch.zeros(1, 1, 32, 160))
    assert (features.shape, heat.shape) == ((1, EMBEDDING, 4, 40), (1, 4, 40))


def test_the_reading_of_a_page_does_not_depend_on_the_other_pages_of_its_batch(model):
    counts = [2, 1, 2]
    together, heat = model.score(pages(3), line_weights(5), counts)
    for page, (ink, scores, weights) in enumerate(
        zip(pages(3), together.split(counts), line_weights(5).split(counts), strict=True)
    ):
        alone, own_heat = model.score(ink[None], weights, [counts[page]])
        assert torch.allclose(alone, scores, atol=1e-5)
        assert torch.allclose(own_heat[0], heat[page], atol=1e-5)


def test_a_page_changes_its_own_reading(model):
    scores, _ = model.score(pages(2), line_weights(2), [1, 1])
    other = pages(2)
    other[0] = 1 - other[0]
    changed, _ = model.score(other, line_weights(2), [1, 1])
    assert not torch.allclose(changed[0], scores[0], atol=1e-3)
    assert torch.allclose(changed[1], scores[1], atol=1e-5)


def found(model, page):
    """The texts of the lines that the model finds on a page (1, H, W), each read on its own."""
    features, heat = model.encode(page[None])
    centres = find_lines(heat[0].sigmoid().numpy(), model.grid)
    bands = torch.from_numpy(pooling(centres, ROWS, model.grid))
    return [
        decode(collapse(model.read_lines(pool(features, band[None], [1]))[0].argmax(dim=1).tolist())) for band in bands
    ]


@torch.no_grad()
def test_a_page_s_tokens_are_the_lines_that_it_finds_between_start_and_end(model):
    tokens = model(pages(3))
    for page, row in zip(pages(3), tokens.tolist(), strict=True):
        end = row.index(END_ID)
        assert row[0] == START_ID
        assert set(row[end + 1 :]) <= {PADDING_ID}
        assert decode(row[1:end]) == "\n".join(found(model, page))


def test_pages_without_lines_have_no_text(model):
    silent = copy.deepcopy(model)
    silent.row_head[-1].bias.data.fill_(-100.0)
    assert silent(pages(2)).tolist() == [[START_ID, END_ID]] * 2


def test_special_tokens_do_not_get_into_the_text():
    assert joined([[5, END_ID, 6], [], [7]]) == [5, 6, NEWLINE_ID, NEWLINE_ID, 7]


def test_pooling_is_the_weighted_sum_of_the_rows_of_the_line_s_own_page():
    features, weights, counts = torch.rand(3, 2, ROWS, 5), line_weights(4), [1, 2, 1]
    expected = torch.zeros(4, 2, 5)
    for line, page in enumerate([0, 1, 1, 2]):
        for row in range(ROWS):
            expected[line] += weights[line, row] * features[page, :, row]
    assert torch.allclose(pool(features, weights, counts), expected, atol=1e-6)


def test_a_page_without_lines_gives_none_and_leaves_the_others_theirs():
    features = torch.rand(2, 2, ROWS, 5)
    pooled = pool(features, line_weights(1), [0, 1])
    assert torch.allclose(pooled, pool(features[1:], line_weights(1), [1]))


@pytest.mark.parametrize("counts", [[1, 1], [1, 1, 2], [3]])
def test_counts_that_do_not_fit_pages_and_lines_are_refused(counts):
    with pytest.raises((ValueError, RuntimeError)):
        pool(torch.rand(2, 2, ROWS, 5), line_weights(3), counts)


def reach(network):
    """Columns of a line whose log-probabilities a change of its first column moves."""
    line = torch.rand(1, EMBEDDING, COLUMNS, generator=torch.Generator().manual_seed(4))
    other = line.clone()
    other[:, :, 0] += 5
    with torch.no_grad():
        return (network.read_lines(line) - network.read_lines(other)).abs().amax(dim=(0, 2)).gt(0).nonzero().flatten()


def test_two_convolutions_see_four_columns_to_a_side_and_an_lstm_the_line():
    torch.manual_seed(3)
    convolutions = ParagraphReader(CLASSES, (4, 4, EMBEDDING, EMBEDDING), 0.0).eval()
    lstm = ParagraphReader(CLASSES, (4, 4, EMBEDDING, EMBEDDING), 0.0, 16).eval()
    assert reach(convolutions).tolist() == [0, 1, 2, 3, 4]
    assert reach(lstm).max() > 10
