"""A correction that the validation accepted cannot stop the stage `preprocess`."""

from datetime import UTC, datetime

import numpy as np
import pytest
from PIL import Image

from text_recognizer.core.layout import Layout
from text_recognizer.corpora import corrections
from text_recognizer.corpora.iam import SCAN_DPI, IamArchive
from text_recognizer.corpora.packed_pages import PackedSplit
from text_recognizer.stages import fetch, preprocess, validate

pytestmark = pytest.mark.slow
MADE = datetime(2026, 11, 25, tzinfo=UTC)


@pytest.fixture
def project(params, tmp_path):
    """The parameters and the places of a project with 16 synthetic forms."""
    forms = {"train_forms": 8, "validation_forms": 4, "test_forms": 4}
    changes = {
        "synthetic": params.synthetic.model_copy(update=forms),
        "runtime": params.runtime.model_copy(update={"workers": 1}),
    }
    small, layout = params.model_copy(update=changes), Layout(tmp_path)
    fetch.run(small, layout)
    return small, layout


@pytest.fixture
def correct(project, encoded):
    """Keep a correction that shows a training form again; `paint` changes its pixels. Return its name."""
    _, layout = project
    with IamArchive(layout.raw / "synthetic.zip") as archive:
        form_ids = archive.splits("lwitlrt")["train"]

        def kept(number, paint=lambda page: page, texts=None):
            form = archive.form(form_ids[number])
            page = archive.picture(form_ids[number])
            ratio = page.shape[1] / form.width
            boxes = [tuple(edge * ratio for edge in line.box) for line in form.lines]
            lines = list(zip(texts or [line.text for line in form.lines], boxes, strict=True))
            record = corrections.new_record(lines, "3fa9", MADE, dpi=SCAN_DPI * ratio)
            return corrections.save(layout.feedback, encoded(Image.fromarray(paint(page))), ".png", record)

        yield kept


def speckled(page):
    """Return a page on which hardly a pixel is white."""
    noise = np.random.default_rng(1).integers(0, 110, page.shape)
    return np.clip(page.astype(int) - noise, 0, 255).astype(np.uint8)


def test_a_correction_with_a_faulty_crop_is_left_out_and_the_others_join(project, correct):
    # Given corrections of training forms: one as it is, and one on paper that crops must not have
    params, layout = project
    good, bad = correct(0), correct(1, speckled)
    # When the validation, which does not look at crops, accepts both
    accepted = validate.run(params, layout).summary.feedback.accepted
    assert set(accepted) == {good, bad}
    # Then the stage packs the good one and names the other with the reason
    packed = preprocess.run(params, layout)
    assert (packed.joined, list(packed.refused)) == ((good,), [bad])
    assert "white paper" in packed.refused[bad]
    assert PackedSplit.open(layout.processed, "train").pages[-1].id == f"feedback-{good}"
