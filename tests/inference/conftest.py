"""A tiny untrained reader whose layers all answer to the ink, as torch has it and as a model folder."""

import pytest

from text_recognizer import paths
from text_recognizer.inference.beam import Speller
from text_recognizer.inference.language import count


@pytest.fixture(scope="session", params=[0, 6], ids=["convolutions", "LSTM"])
def lively_network(request):
    """Makes a ParagraphReader in eval mode whose normalisation has the statistics of noise, by a seed.

    Statistics that do not fit the features would silence every ReLU, and what is silent is equal to anything. Its
    weights are rounded as those of an exported model are.
    """
    import torch

    from text_recognizer.models import ParagraphReader
    from text_recognizer.models.paragraph_reader import pool
    from text_recognizer.text import MAPPING

    def make(seed: int = 3) -> ParagraphReader:
        torch.manual_seed(seed)
        network = ParagraphReader(len(MAPPING), (4, 4, 8, 8), 0.1, request.param)
        with torch.no_grad():
            for _ in range(20):
                features, _ = network.encode(torch.rand(4, 1, 64, 128))
                network.read_lines(pool(features, torch.full((4, 8), 1 / 8), [1, 1, 1, 1]))
        with torch.no_grad():
            for value in network.state_dict().values():
                value.copy_(value.half())
        return network.eval()

    return make


@pytest.fixture(scope="session")
def speller():
    """Spells as in a text of two lines."""
    return Speller(count(["to be or not to be", "to be or not"], 4), weight=0.3, bonus=0.3, width=4)


@pytest.fixture(scope="session")
def lively_model(lively_network, small_crops, speller, tmp_path_factory):
    """The folder of that reader, with an n-gram. Not to be changed: copy it."""
    from text_recognizer.inference.export import export

    folder = tmp_path_factory.mktemp("model") / "reader"
    export(lively_network(), small_crops, folder, speller)
    return folder


@pytest.fixture(scope="session")
def pretrained():
    """The reader that comes with the project."""
    from text_recognizer.inference import Recognizer

    return Recognizer.load(paths.PRETRAINED, threads=1)


@pytest.fixture(scope="session")
def drawn(pretrained):
    """A drawn page of nine lines on its canvas, the right and the lower part of which are empty."""
    from text_recognizer.benchmarks.pages import crops, drawn_pages

    info = pretrained.info
    return drawn_pages(1, [crops(info.dpi, *info.canvas, info.padding)])[0]
