"""The line heatmap: drawing it, finding lines in it, and pooling the features of lines."""

import numpy as np
import pytest

from text_recognizer.pages.line_heatmap import (
    CROP_MARGIN,
    CROP_STEP,
    MIN_LINE_DISTANCE,
    FeatureGrid,
    find_lines,
    line_heatmaps,
    pooling_weights,
)

COLUMNS = 160
RESOLUTIONS = [50, 75, 150]


def grid_at(dpi):
    return FeatureGrid(dpi, cell_height=8, cell_width=4)


def heatmap_of(centres, rows, grid):
    """Return the target heatmap of lines that span the page."""
    centres = np.asarray(centres, dtype=float)
    left, right = np.zeros(len(centres)), np.full(len(centres), float(COLUMNS))
    return line_heatmaps(centres, left, right, [len(centres)], (rows, COLUMNS), grid)[0]


@pytest.mark.parametrize("dpi", RESOLUTIONS)
@pytest.mark.parametrize("shift", [0.0, 0.3, 0.5, 0.9])
def test_lines_are_found_at_their_centres(dpi, shift):
    grid = grid_at(dpi)
    expected = grid.rows(0.6) * np.arange(1, 6) + shift
    rows = int(expected[-1] + grid.rows(0.6))
    np.testing.assert_allclose(find_lines(heatmap_of(expected, rows, grid), grid), expected, atol=0.35)


def test_nothing_is_found_on_a_blank_page():
    assert len(find_lines(np.zeros((20, COLUMNS), dtype=np.float32), grid_at(75))) == 0
    assert len(find_lines(np.full((20, COLUMNS), 0.2, dtype=np.float32), grid_at(75))) == 0


def test_two_close_peaks_are_one_line_at_the_stronger():
    grid = grid_at(150)
    near = 0.8 * grid.rows(MIN_LINE_DISTANCE)
    heatmap = np.maximum(0.7 * heatmap_of([20], 60, grid), heatmap_of([20 + near], 60, grid))
    np.testing.assert_allclose(find_lines(heatmap, grid), [20 + near], atol=0.5)


def test_a_plateau_of_equal_rows_is_one_line():
    heatmap = np.zeros((20, COLUMNS), dtype=np.float32)
    heatmap[8:11] = 0.9
    assert len(find_lines(heatmap, grid_at(75))) == 1


@pytest.mark.parametrize("dpi", RESOLUTIONS)
def test_two_lines_six_tenths_of_an_inch_apart_stay_two(dpi):
    grid = grid_at(dpi)
    expected = [grid.rows(0.5), grid.rows(1.1)]
    assert len(find_lines(heatmap_of(expected, int(grid.rows(1.8)), grid), grid)) == 2


@pytest.mark.parametrize("expected", [[0.2], [19.8]])
def test_a_line_at_the_edge_of_the_page_is_found(expected):
    found = find_lines(heatmap_of(expected, 20, grid_at(75)), grid_at(75))
    np.testing.assert_allclose(found, expected, atol=0.8)


def test_a_line_of_one_short_word_is_found():
    grid = grid_at(75)
    left, right = np.array([10.0]), np.array([10 + grid.columns(0.3)])
    assert len(find_lines(line_heatmaps(np.array([10.0]), left, right, [1], (20, COLUMNS), grid)[0], grid)) == 1


def test_lines_are_ordered_from_top_to_bottom():
    grid = grid_at(75)
    heatmap = heatmap_of([5], 40, grid) * 0.5 + heatmap_of([15], 40, grid) * 0.9 + heatmap_of([25], 40, grid) * 0.7
    found = find_lines(heatmap, grid)
    assert len(found) == 3
    assert (np.diff(found) > 0).all()


@pytest.mark.parametrize("dpi", RESOLUTIONS)
def test_pooling_weights_sum_to_one_and_peak_at_the_centre(dpi):
    centres = np.array([3.5, 10.2, 17.9])
    weights = pooling_weights(centres, 20, grid_at(dpi))
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-6)
    assert weights.argmax(axis=1).tolist() == [3, 10, 17]
    assert (weights > 0).all()


def test_the_weights_of_a_line_far_outside_the_page_sum_to_one_too():
    np.testing.assert_allclose(pooling_weights(np.array([-500.0, 500.0]), 20, grid_at(50)).sum(axis=1), 1, atol=1e-6)


def test_no_lines_have_no_weights():
    assert pooling_weights(np.array([]), 20, grid_at(75)).shape == (0, 20)


def test_a_line_is_drawn_between_left_and_right_only():
    drawn = line_heatmaps(np.array([6.0]), np.array([10.0]), np.array([30.0]), [1], (12, COLUMNS), grid_at(75))[0]
    assert np.flatnonzero(drawn.any(axis=0)).tolist() == list(range(10, 30))
    assert drawn.argmax(axis=0)[10:30].tolist() == [5] * 20
    assert drawn.max() <= 1


def test_each_page_has_its_own_lines_and_the_higher_value_where_two_overlap():
    grid, ends = grid_at(75), np.full(3, float(COLUMNS))
    drawn = line_heatmaps(np.array([6.0, 6.5, 9.0]), np.zeros(3), ends, [2, 0, 1], (12, COLUMNS), grid)
    alone = [
        line_heatmaps(np.array([centre]), np.zeros(1), ends[:1], [1], (12, COLUMNS), grid)[0] for centre in (6, 6.5, 9)
    ]
    np.testing.assert_array_equal(drawn, [np.maximum(alone[0], alone[1]), np.zeros_like(alone[0]), alone[2]])


@pytest.mark.parametrize(("dpi", "cell"), [(50, (8, 4)), (75, (8, 4)), (149, (8, 4)), (150, (16, 8)), (300, (32, 16))])
def test_a_cell_covers_about_as_much_paper_at_any_resolution(dpi, cell):
    grid = FeatureGrid.at(dpi)
    assert (grid.cell_height, grid.cell_width) == cell
    assert grid.side == cell[1] // 4


def test_cells_at_the_edges_may_reach_beyond_the_page():
    assert FeatureGrid.at(75).size(64, 96) == (8, 24)
    assert FeatureGrid.at(75).size(65, 97) == (9, 25)
    assert FeatureGrid.at(150).size(65, 97) == (5, 13)


@pytest.mark.parametrize(("dpi", "side"), [(75, 1), (150, 2)])
@pytest.mark.parametrize("end", [0, 1, 8, 9, 500])
def test_a_crop_covers_the_ink_and_its_margin_in_whole_steps(dpi, side, end):
    grid = FeatureGrid.at(dpi)
    for step in (CROP_STEP, 64):
        length = grid.crop_length(end, step)
        assert length % (step * side) == 0
        assert 0 <= length - (end + CROP_MARGIN * side) < step * side
        assert length % grid.cell_height == length % grid.cell_width == 0
