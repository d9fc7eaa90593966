"""The pretrained reader reads a skewed page and returns the boxes of its lines."""

import numpy as np
import pytest

from text_recognizer.benchmarks.bench_pages import NUM_LINES
from text_recognizer.core.metrics import character_edits, error_rate
from text_recognizer.pages.rotation import rotate

MARGIN = 80


@pytest.mark.parametrize("degrees", [0, 4, -5])
@pytest.mark.slow
def test_a_skewed_page_is_read_and_the_boxes_of_its_lines_are_on_the_lines(drawn, pretrained, degrees):
    canvas, labels = np.pad(drawn.canvases[0], MARGIN, constant_values=255), drawn.pages[0]
    picture = rotate(canvas, degrees)
    transcription = pretrained.read(picture)
    assert error_rate([character_edits(labels.text, transcription.text)]) < 0.15
    assert len(transcription.lines) == len(labels.boxes) == NUM_LINES
    # The centres of the lines rotate with the page.
    angle = np.radians(degrees)
    for line, (x, y, width, height) in zip(transcription.lines, labels.boxes, strict=True):
        dx, dy = x + width / 2 + MARGIN - canvas.shape[1] / 2, y + height / 2 + MARGIN - canvas.shape[0] / 2
        centre = dx * np.cos(angle) + dy * np.sin(angle), dy * np.cos(angle) - dx * np.sin(angle)
        box = line.box
        found = box.x + box.width / 2 - picture.shape[1] / 2, box.y + box.height / 2 - picture.shape[0] / 2
        assert np.hypot(*np.subtract(found, centre)) < 25
