"""The sheet of paper in a photo."""

import cv2
import numpy as np
import pytest

from text_recognizer.pages.sheet_finding import find_sheet

CORNERS = ((180, 90), (620, 130), (660, 520), (130, 480))


def photo(paper: int, table: int, corners: tuple[tuple[int, int], ...] = CORNERS) -> np.ndarray:
    grey = np.random.default_rng(1).normal(table, 4, (600, 800))
    cv2.fillConvexPoly(grey, np.array(corners), paper)
    for row in range(200, 450, 30):
        cv2.line(grey, (230, row), (560, row + 8), paper - 150 if paper > 150 else 0, 3)
    return np.repeat(np.clip(grey, 0, 255).astype(np.uint8)[:, :, None], 3, axis=2)


def test_the_corners_of_a_bright_sheet_are_found_from_the_top_left_clockwise() -> None:
    found = find_sheet(photo(paper=230, table=70))

    assert found is not None
    for corner, expected in zip(found, CORNERS, strict=True):
        assert corner == pytest.approx(expected, abs=14)


@pytest.mark.parametrize(("paper", "table"), [(230, 222), (230, 230), (60, 200)])
def test_without_the_edges_of_a_sheet_there_is_none(paper: int, table: int) -> None:
    assert find_sheet(photo(paper, table)) is None


def test_a_page_that_fills_the_picture_is_no_sheet_on_a_table() -> None:
    assert find_sheet(photo(230, 70, ((0, 0), (799, 0), (799, 599), (0, 599)))) is None
