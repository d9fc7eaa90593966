"""A page read by the pretrained reader, against as many characters spelt by the lab's network in its own loop."""

from collections.abc import Iterator
from functools import partial

import torch

from text_recognizer import paths
from text_recognizer.benchmarks.decode import NOWHERE, uncached
from text_recognizer.benchmarks.measure import Measurement, timed
from text_recognizer.benchmarks.pages import crops, drawn_pages
from text_recognizer.data.base import as_ink
from text_recognizer.data.paragraphs import LAB_CANVAS
from text_recognizer.inference import Recognizer
from text_recognizer.models import ResnetTransformer
from text_recognizer.text import MAPPING

LAB_DPI = 75


def read() -> Iterator[Measurement]:
    """One page of 9 lines at IAM's size, one thread: from its pixels to its text, lines, boxes and confidence.

    Each reads it at its own resolution.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        recognizer = Recognizer.load(paths.PRETRAINED, threads=1)
        info = recognizer.info
        ours, labs = drawn_pages(1, [crops(info.dpi, *info.canvas, info.padding), crops(LAB_DPI, *LAB_CANVAS)])
        seconds, _ = timed(partial(recognizer.read_canvases, ours.canvases), repeats=3)
        characters = len(ours.pages[0].text)
        ink = as_ink(torch.from_numpy(labs.canvases[:, None]))
        reference, _ = timed(partial(uncached, _lab(characters), ink))
        what = f"a page of {characters} characters, {recognizer.runtime}"
        yield Measurement(what, "the lab's network, keys and values not kept", seconds, reference)
    finally:
        torch.set_num_threads(threads)


def _lab(characters: int) -> ResnetTransformer:
    """The lab's network with random weights, which writes as many characters as it is let."""
    torch.manual_seed(1)
    config = {"input_dims": (1, *LAB_CANVAS), "output_dims": (characters + 1, 1), "mapping": MAPPING}
    model = ResnetTransformer(config).eval()
    model.end_token = model.padding_token = NOWHERE
    return model
