"""Synthetic forms for the training split, drawn in memory when they are cropped."""

import io
from collections.abc import Iterator, Sequence
from xml.etree import ElementTree

import numpy as np
from PIL import Image

from text_recognizer.core.params import SyntheticSection
from text_recognizer.corpora.iam import Form, parse_form
from text_recognizer.synthetic import WriterPlan, draw_writer, plan


def synthetic_writers(synthetic: SyntheticSection, forms: int) -> dict[str, WriterPlan]:
    """Return the writers of so many training forms by their ids. They use the source fonts of the training split."""
    writers = plan(synthetic.model_copy(update={"train_forms": forms}))
    return {writer.id: writer for writer in writers if writer.split == "train"}


def draw_forms(synthetic: SyntheticSection, forms: int, ids: Sequence[str]) -> Iterator[tuple[Form, np.ndarray]]:
    """Draw the forms of the writers with these ids, and yield the labels and the picture, uint8 grey (H, W).

    `forms` is the number of forms of all writers together.
    """
    writers = synthetic_writers(synthetic, forms)
    for writer in ids:
        for files in draw_writer(synthetic, writers[writer]):
            with Image.open(io.BytesIO(files.png)) as picture:
                yield parse_form(ElementTree.fromstring(files.xml)), np.asarray(picture.convert("L"))
