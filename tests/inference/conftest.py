"""The pretrained reader, and a page for it."""

import pytest

from text_recognizer.core.layout import pretrained_model


@pytest.fixture(scope="session")
def pretrained():
    """The reader that comes with the project."""
    from text_recognizer.inference import Recognizer

    return Recognizer.load(pretrained_model(), threads=1)


@pytest.fixture(scope="session")
def drawn(pretrained):
    """A synthetic page of nine lines on its canvas, whose right and lower parts are empty."""
    from text_recognizer.benchmarks.bench_pages import crops, drawn_pages

    info = pretrained.info
    return drawn_pages(1, [crops(info.dpi, *info.canvas, info.padding)])[0]
