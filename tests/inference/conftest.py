"""A tiny untrained reader whose layers all respond to the foreground, as a torch network and as a model folder."""

import pytest

from text_recognizer.core.layout import pretrained_model
from text_recognizer.inference.beam_search import BeamSearchDecoder
from text_recognizer.inference.language_model import count_ngrams


@pytest.fixture(scope="session", params=[0, 6], ids=["convolutions", "LSTM"])
def responsive_network(request):
    """Make a ParagraphReader in eval mode whose normalisation has the statistics of noise, from a seed.

    Statistics that do not fit the features would set every ReLU to zero, and then any two outputs are equal. The
    weights are rounded to half precision, as those of an exported model are.
    """
    import torch

    from text_recognizer.core.charset import CHARSET
    from text_recognizer.models.paragraph_reader import ParagraphReader, ReaderConfig

    def make(seed: int = 3) -> ParagraphReader:
        torch.manual_seed(seed)
        network = ParagraphReader(ReaderConfig(len(CHARSET), (4, 4, 8, 8), 0.1, request.param))
        with torch.no_grad():
            for _ in range(20):
                features, _ = network.encode(torch.rand(4, 1, 64, 128))
                network.read_lines(features.mean(dim=2))
        with torch.no_grad():
            for value in network.state_dict().values():
                value.copy_(value.half())
        return network.eval()

    return make


@pytest.fixture(scope="session")
def decoder():
    """A beam-search decoder with a language model of two lines."""
    ngram = count_ngrams(["to be or not to be", "to be or not"], 4)
    return BeamSearchDecoder(ngram, lm_weight=0.3, insertion_bonus=0.3, beam_width=4)


@pytest.fixture(scope="session")
def responsive_model(responsive_network, small_crops, decoder, tmp_path_factory):
    """The folder of that reader, with a language model. Copy it before you change it."""
    from text_recognizer.training.export import export

    folder = tmp_path_factory.mktemp("model") / "reader"
    export(responsive_network(), small_crops, folder, decoder)
    return folder


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
