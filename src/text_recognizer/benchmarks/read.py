"""A page read by the pretrained reader, against as many characters spelt by the lab's network in its own loop."""

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import torch

from text_recognizer import paths
from text_recognizer.benchmarks.decode import NOWHERE, uncached
from text_recognizer.benchmarks.measure import Measurement, timed
from text_recognizer.config import PreprocessSection, SyntheticSection
from text_recognizer.data.iam import IamArchive
from text_recognizer.data.packed import Page
from text_recognizer.data.synthetic import write_corpus
from text_recognizer.inference import ModelInfo, Recognizer
from text_recognizer.models import ResnetTransformer
from text_recognizer.preprocess import crop_form
from text_recognizer.text import MAPPING

LINES = 9  # IAM's pages have 8.8 at the mean


def read() -> Iterator[Measurement]:
    """One page of 9 lines at IAM's size, one thread: from its pixels to its text, lines, boxes and confidence."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        recognizer = Recognizer.load(paths.PRETRAINED, threads=1)
        canvas, page = _page(recognizer.info)
        seconds, _ = timed(partial(recognizer.read_canvases, canvas[None]), repeats=3)
        ink = torch.from_numpy(1 - canvas[None, None].astype(np.float32) / 255)
        reference, _ = timed(partial(uncached, _lab(canvas.shape, len(page.text)), ink))
        what = f"a page of {len(page.text)} characters, {recognizer.runtime}"
        yield Measurement(what, "the lab's network, keys and values not kept", seconds, reference)
    finally:
        torch.set_num_threads(threads)


def _lab(size: tuple[int, ...], characters: int) -> ResnetTransformer:
    """The lab's network with random weights, which writes as many characters as it is let."""
    torch.manual_seed(1)
    model = ResnetTransformer({"input_dims": (1, *size), "output_dims": (characters + 1, 1), "mapping": MAPPING}).eval()
    model.end_token = model.padding_token = NOWHERE
    return model


def _page(info: ModelInfo) -> tuple[np.ndarray, Page]:
    """A synthetic page, cropped as the model asks: its canvas, uint8 (H, W), and its labels."""
    synthetic = SyntheticSection(
        seed=1, train_forms=1, validation_forms=1, test_forms=1, forms_per_writer=1, page_width=2479, page_height=3542,
        lines_min=LINES, lines_max=LINES, dpi=150, workers=1,
    )  # fmt: skip
    crops = PreprocessSection(
        dpi=info.dpi, canvas_height=info.canvas_height, canvas_width=info.canvas_width, padding=info.padding, workers=1
    )
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        write_corpus(synthetic, Path(folder) / "page.zip")
        with IamArchive(Path(folder) / "page.zip") as archive:
            form_id = archive.form_ids[0]
            return crop_form(archive.form(form_id), archive.picture(form_id), crops)
