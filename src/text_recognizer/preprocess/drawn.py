"""Synthetic forms that join the training split of real ones: drawn where they are cropped, and never in an archive."""

import io
from collections.abc import Iterator, Sequence
from xml.etree import ElementTree

import numpy as np
from PIL import Image

from text_recognizer.config import SyntheticSection
from text_recognizer.data.iam import Form, parse_form
from text_recognizer.data.synthetic import WriterPlan, draw_writer, plan


def drawn_writers(synthetic: SyntheticSection, forms: int) -> dict[str, WriterPlan]:
    """The writers of this many forms, by their ids; their hands are those of the sample's training split."""
    writers = plan(synthetic.model_copy(update={"train_forms": forms}))
    return {writer.id: writer for writer in writers if writer.split == "train"}


def draw(synthetic: SyntheticSection, forms: int, ids: Sequence[str]) -> Iterator[tuple[str, Form, np.ndarray]]:
    """The forms of some of these writers: id, labels and picture, uint8 grey (H, W)."""
    writers = drawn_writers(synthetic, forms)
    for writer in ids:
        for files in draw_writer(synthetic, writers[writer]):
            with Image.open(io.BytesIO(files.png)) as picture:
                yield files.id, parse_form(ElementTree.fromstring(files.xml)), np.asarray(picture.convert("L"))
