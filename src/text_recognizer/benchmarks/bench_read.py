"""Reading a page with the pretrained reader, against as many characters from the lab's network in its own loop."""

from collections.abc import Iterator
from functools import partial

import torch

from text_recognizer.benchmarks.bench_decode import NEVER, uncached
from text_recognizer.benchmarks.bench_pages import crops, drawn_pages
from text_recognizer.benchmarks.measure import Measurement, timed
from text_recognizer.core.charset import CHARSET
from text_recognizer.core.layout import pretrained_model
from text_recognizer.data.base_data_module import to_foreground
from text_recognizer.data.iam_paragraphs import LAB_CANVAS
from text_recognizer.inference import Recognizer
from text_recognizer.inference.packed_paragraphs import read_paragraph
from text_recognizer.models import ResnetTransformer

LAB_DPI = 75


def read() -> Iterator[Measurement]:
    """Measure one page of 9 lines at IAM's size on one thread, from its pixels to its text, lines and confidences.

    Each network reads the page at its own resolution.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        recognizer = Recognizer.load(pretrained_model(), threads=1)
        info = recognizer.info
        ours, labs = drawn_pages(1, [crops(info.dpi, *info.canvas, info.padding), crops(LAB_DPI, *LAB_CANVAS)])
        seconds, _ = timed(partial(read_paragraph, recognizer, ours.canvases[0], ours.pages[0]), repeats=3)
        characters = len(ours.pages[0].text)
        foreground = to_foreground(torch.from_numpy(labs.canvases[:, None]))
        reference, _ = timed(partial(uncached, _lab(characters), foreground))
        what = f"a page of {characters} characters, {recognizer.runtime}"
        yield Measurement(what, "the lab's network, keys and values not cached", seconds, reference)
    finally:
        torch.set_num_threads(threads)


def _lab(characters: int) -> ResnetTransformer:
    """Return the lab's network with random weights, which always emits as many characters as allowed."""
    torch.manual_seed(1)
    config = {"input_dims": (1, *LAB_CANVAS), "output_dims": (characters + 1, 1), "mapping": CHARSET}
    model: ResnetTransformer = ResnetTransformer(config).eval()
    model.end_token = model.padding_token = NEVER
    return model
