"""The shapes of text on a detector's map, and the detector itself."""

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from text_recognizer.pages.line_finding import ASSETS
from text_recognizer.pages.text_detection import DETECTOR_FILE, TextBox, TextDetector, boxes_of_map
from text_recognizer.utils.onnx_sessions import open_session


@pytest.fixture(scope="module")
def detector() -> TextDetector:
    return TextDetector.load(ASSETS / DETECTOR_FILE, threads=1)


def bar_map(degrees: float) -> np.ndarray:
    """Return a map (200, 300) with one bar of 120 x 10 pixels, turned clockwise."""
    rows, columns = np.mgrid[:200, :300] + 0.5
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    along = (columns - 150) * cosine + (rows - 100) * sine
    across = (rows - 100) * cosine - (columns - 150) * sine
    return np.where((abs(along) <= 60) & (abs(across) <= 5), 0.9, 0.0).astype(np.float32)


@pytest.mark.parametrize("degrees", [0, 10, -30, 80])
def test_a_bar_becomes_a_box_at_its_place_and_angle(degrees: int) -> None:
    (box,) = boxes_of_map(bar_map(degrees))

    assert (box.x, box.y) == (pytest.approx(150, abs=1.5), pytest.approx(100, abs=1.5))
    assert box.degrees == pytest.approx(degrees, abs=1.5)
    assert box.score == pytest.approx(0.9)
    assert box.width > 120
    assert 20 < box.height < 32  # the core is shrunk text, so the box is larger


def test_the_scale_converts_to_pixels_of_the_picture() -> None:
    (box,) = boxes_of_map(bar_map(0), (2.0, 3.0))

    assert (box.x, box.y) == (pytest.approx(300, abs=3), pytest.approx(300, abs=4))


def test_a_curved_bar_keeps_its_height_and_gets_a_curved_axis() -> None:
    rows, columns = np.mgrid[:120, :300] + 0.5
    middle = 60 + 15 * ((columns - 150) / 140) ** 2
    curved = np.where((abs(rows - middle) <= 4) & (abs(columns - 150) <= 140), 0.9, 0.0).astype(np.float32)

    (box,) = boxes_of_map(curved)

    ends = box.point(np.array([-0.9, 0.0, 0.9]), np.zeros(3))
    assert ends[0, 1] - ends[1, 1] > 8
    assert ends[2, 1] - ends[1, 1] > 8
    assert box.height < 32


def test_specks_and_faint_patches_are_not_text() -> None:
    picture = np.zeros((50, 100), np.float32)
    picture[10:12, 10:60] = 0.9  # too low
    picture[30:40, 10:60] = 0.4  # too faint

    assert list(boxes_of_map(picture)) == []


def text_picture(scale: float) -> np.ndarray:
    picture = Image.new("RGB", (round(800 * scale), round(300 * scale)), "white")
    draw = ImageDraw.Draw(picture)
    for row in range(3):
        font = ImageFont.load_default(round(40 * scale))
        draw.text((round(60 * scale), round((30 + 90 * row) * scale)), "three lines of text here", "black", font)
    return np.asarray(picture)


@pytest.mark.parametrize("scale", [0.4, 1, 3])
def test_lines_are_found_at_any_size(detector: TextDetector, scale: float) -> None:
    boxes = detector.detect(text_picture(scale))

    assert len(boxes) == 3
    assert np.diff(sorted(box.y for box in boxes)) == pytest.approx(90 * scale, abs=9 * scale)
    assert all(300 < box.width / scale < 700 for box in boxes)


class WatchedSession:
    """An onnxruntime session that records the longer side of each input."""

    def __init__(self) -> None:
        self._session = open_session(ASSETS / DETECTOR_FILE, threads=1)
        self.sides: list[int] = []

    def get_inputs(self) -> list:
        return self._session.get_inputs()

    def run(self, outputs: None, feeds: dict[str, np.ndarray]) -> list[np.ndarray]:
        self.sides += [max(one.shape) for one in feeds.values()]
        return self._session.run(outputs, feeds)


@pytest.mark.parametrize(("scale", "sides"), [(3, [768]), (1.2, [768, 960]), (0.5, [768, 1600])])
@pytest.mark.slow
def test_the_network_looks_closer_only_where_writing_is_small(scale: float, sides: list[int]) -> None:
    session = WatchedSession()
    page = np.full((1600, 2400, 3), 255, np.uint8)
    text = text_picture(scale)
    page[: len(text), : text.shape[1]] = text[:1600]

    boxes = TextDetector(session).detect(page)

    assert session.sides == sides
    assert len(boxes) == 3


def test_a_blank_page_costs_two_looks() -> None:
    session = WatchedSession()

    assert TextDetector(session).detect(np.full((1600, 2400, 3), 255, np.uint8)) == []

    assert session.sides == [768, 960]


def test_points_of_a_turned_box() -> None:
    box = TextBox(100, 50, 40, 10, 90, 1.0)

    points = box.point(np.array([-1.0, 1.0]), np.array([0.0, 0.0]))

    np.testing.assert_allclose(points, [[100, 30], [100, 70]], atol=1e-6)
