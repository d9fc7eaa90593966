"""The grid of features on a strip, and the weights that pool its rows."""

import numpy as np
import pytest

from text_recognizer.pages.feature_grid import POOL_SIGMA, FeatureGrid
from text_recognizer.pages.strips import strip_height


@pytest.mark.parametrize("dpi", [50, 60, 75, 150, 300])
def test_pooling_weights_are_a_gaussian_around_mid_height(dpi):
    grid, height = FeatureGrid.at(dpi), strip_height(dpi)
    weights = grid.pooling_weights(height)
    assert weights.shape == (grid.size(height, 1)[0],)
    assert weights.sum() == pytest.approx(1, abs=1e-6)
    # The mean and the standard deviation, in inches, of where features come from
    places = (np.arange(len(weights)) + 0.5) * grid.cell_height / dpi
    mean = float(places @ weights)
    assert mean == pytest.approx(height / 2 / dpi, abs=0.02)
    assert np.sqrt((places - mean) ** 2 @ weights) == pytest.approx(POOL_SIGMA, rel=0.1)


@pytest.mark.parametrize(("dpi", "cell"), [(50, (8, 4)), (75, (8, 4)), (149, (8, 4)), (150, (16, 8)), (300, (32, 16))])
def test_a_cell_covers_about_as_much_paper_at_any_resolution(dpi, cell):
    grid = FeatureGrid.at(dpi)
    assert (grid.cell_height, grid.cell_width) == cell
    assert grid.side == cell[1] // 4


def test_cells_at_the_edges_may_reach_beyond_the_strip():
    assert FeatureGrid.at(75).size(64, 96) == (8, 24)
    assert FeatureGrid.at(75).size(65, 97) == (9, 25)
    assert FeatureGrid.at(150).size(65, 97) == (5, 13)
