"""The pages that are measured on."""

import numpy as np

from text_recognizer.benchmarks.bench_pages import NUM_LINES, crops, drawn_pages


def test_the_same_pages_are_there_at_any_resolution():
    coarse, fine = drawn_pages(2, [crops(75, 576, 640), crops(150, 1152, 1280, 8)])
    assert (coarse.canvases.shape, fine.canvases.shape) == ((2, 576, 640), (2, 1152, 1280))
    assert coarse.texts == fine.texts
    assert len(set(coarse.texts)) == 2
    for small, large in zip(coarse.pages, fine.pages, strict=True):
        assert len(small.boxes) == NUM_LINES
        np.testing.assert_allclose(2 * np.array(small.boxes), large.boxes, atol=2)
