"""Pages that get worse on purpose: the perturbations are known and repeatable, and so are the drawn pages."""

import numpy as np
import pytest
from PIL import Image

from text_recognizer.benchmarks.page_readers import OwnReader
from text_recognizer.benchmarks.page_robustness import measure_pages, pages_of_folder, table
from text_recognizer.benchmarks.perturbed_pictures import PICTURE_PERTURBATIONS, scaled, turned
from text_recognizer.benchmarks.sample_pages import SamplePage, composed_pages, sample_pages
from text_recognizer.core.errors import ConfigError, DataError
from text_recognizer.evaluation.robustness import untouched
from text_recognizer.pages.opening import MAX_PIXELS

pytestmark = pytest.mark.slow

PERTURBATIONS = {one.name: one for one in PICTURE_PERTURBATIONS}


@pytest.fixture(scope="module")
def picture():
    """A grey page of 120 x 80 pixels with a dark corner at the top left."""
    pixels = np.full((120, 80, 3), 200, np.uint8)
    pixels[:10, :10] = 20
    return pixels


@pytest.mark.parametrize("name", PERTURBATIONS)
def test_a_perturbation_is_the_same_each_time_and_leaves_the_picture_alone(picture, name):
    one, before = PERTURBATIONS[name], picture.copy()
    for strength in one.strengths:
        result = one.apply(picture, strength)
        assert (result.dtype, result.ndim, result.shape[2]) == (np.uint8, 3, 3)
        np.testing.assert_array_equal(result, one.apply(picture, strength))
        if name != untouched.__name__:
            assert result.shape != picture.shape or (result != picture).any()
    np.testing.assert_array_equal(picture, before)


def test_turns_are_clockwise_and_cut_nothing_off(picture):
    quarter = turned(picture, 90)
    assert quarter.shape == (80, 120, 3)
    assert quarter[:8, -8:].max() < 100
    dark = (turned(picture, 45) < 100).all(axis=2).sum()
    assert dark == pytest.approx(100, abs=20)


def test_scaling_stops_at_the_largest_picture_that_can_be_opened():
    large = np.zeros((6000, 4000, 3), np.uint8)
    height, width = scaled(large, 4).shape[:2]
    assert 0.99 * MAX_PIXELS < height * width <= MAX_PIXELS


def test_composed_pages_have_the_lines_that_were_asked_for():
    one, five = composed_pages((1, 5))
    assert [page.text.count("\n") + 1 for page in (one, five)] == [1, 5]
    again = composed_pages((5,))[0]
    assert again.text == five.text
    np.testing.assert_array_equal(again.rgb, five.rgb)
    assert (one.rgb < 128).any()


def test_pages_are_measured_by_our_own_reader():
    page = sample_pages(1)[0]
    chosen = [PERTURBATIONS["untouched"], PERTURBATIONS["noise"]]
    rows = list(measure_pages(OwnReader.load().read_picture, [page], chosen))
    assert [(row.name, row.strength) for row in rows] == [("untouched", 0), ("noise", 10), ("noise", 25), ("noise", 50)]
    assert rows[0].characters == len(" ".join(page.text.split()))
    assert rows[0].cer < 0.15
    assert len(table(rows).splitlines()) == 2 + len(rows)


def test_the_rate_of_a_row_counts_all_pages():
    pages = [SamplePage(text, np.zeros((4, 4, 3), np.uint8), text) for text in ("abcd", "ab")]
    (row,) = measure_pages(lambda _: "abc", pages, [PERTURBATIONS["untouched"]])
    assert (row.cer, row.pages, row.characters) == (2 / 6, 2, 6)


def test_pictures_of_a_folder_are_chosen_evenly(tmp_path):
    for number in range(5):
        Image.new("L", (40, 30), 255).save(tmp_path / f"{number}.png")
        (tmp_path / f"{number}.txt").write_text("" if number == 4 else str(number))
    assert [page.text for page in pages_of_folder(tmp_path, None, 2)] == ["0", "3"]
    (tmp_path / "text.list").write_text("4\n")
    with pytest.raises(ConfigError):
        pages_of_folder(tmp_path, tmp_path / "text.list", 2)
    with pytest.raises(DataError):
        pages_of_folder(tmp_path / "none", None, 2)
