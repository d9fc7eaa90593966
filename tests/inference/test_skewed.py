"""A page that lies askew is read, and its lines framed, by the pretrained reader."""

import numpy as np
import pytest

from text_recognizer.benchmarks.pages import LINES
from text_recognizer.images import turned
from text_recognizer.metrics import character_edits, error_rate

MARGIN = 80


@pytest.mark.parametrize("degrees", [0, 4, -6])
def test_a_page_askew_is_read_and_its_lines_are_framed_where_they_are(drawn, pretrained, degrees):
    canvas, labels = np.pad(drawn.canvases[0], MARGIN, constant_values=255), drawn.pages[0]
    picture = turned(canvas, degrees)
    reading = pretrained.read(picture)
    assert error_rate([character_edits(labels.text, reading.text)]) < 0.15
    assert len(reading.lines) == LINES
    # The middles of the lines, turned with the page
    turn = np.radians(degrees)
    for line, (x, y, width, height) in zip(reading.lines, labels.boxes, strict=True):
        dx, dy = x + width / 2 + MARGIN - canvas.shape[1] / 2, y + height / 2 + MARGIN - canvas.shape[0] / 2
        middle = dx * np.cos(turn) + dy * np.sin(turn), dy * np.cos(turn) - dx * np.sin(turn)
        left, top, wide, high = line.box
        found = left + wide / 2 - picture.shape[1] / 2, top + high / 2 - picture.shape[0] / 2
        assert np.hypot(*np.subtract(found, middle)) < 25
