"""Draw lines of synthetic writers for the line classifier."""

from collections.abc import Iterator

import numpy as np

from text_recognizer.core.params import SyntheticSection
from text_recognizer.corpora.iam import SCAN_DPI
from text_recognizer.data.line_kind_strips import MAX_STRIP_WIDTH, KindStrip
from text_recognizer.inference.line_kind import WRITTEN
from text_recognizer.pages.line_building import TextLine
from text_recognizer.pages.strips import rectify
from text_recognizer.pages.text_detection import TextBox
from text_recognizer.synthetic.form import FormRecipe, SyntheticForm, draw_form
from text_recognizer.synthetic.plan import plan
from text_recognizer.synthetic.sheet import make_sheet
from text_recognizer.synthetic.writer import Writer

SEED = 11
FORMS: dict[str, int] = {
    "seed": SEED,
    "validation_forms": 20,
    "test_forms": 1,
    "forms_per_writer": 1,
    "page_width": 1800,
    "page_height": 1500,
    "lines_min": 4,
    "lines_max": 6,
    "dpi": 150,
}  # fmt: skip


def written_strips(forms: int, split: str) -> Iterator[KindStrip]:
    """Yield the lines of synthetic forms, each by a writer of its own; `forms` counts those of the training split."""
    section = SyntheticSection(train_forms=forms, **FORMS)
    recipe = FormRecipe(make_sheet(section), section.seed, (section.lines_min, section.lines_max))
    rng = np.random.default_rng((section.seed, *split.encode(), *b"written"))
    for writer in (writer for writer in plan(section) if writer.split == split):
        form = draw_form(Writer(writer, section.seed, section.dpi), writer, writer.forms[0], recipe)
        lines = [_line_of(form, index, rng) for index in range(len(form.lines))]
        for strip in rectify(form.picture, lines):
            yield KindStrip(np.ascontiguousarray(strip.pixels[:, :MAX_STRIP_WIDTH]), WRITTEN, f"synthetic/{writer.id}")


def _line_of(form: SyntheticForm, index: int, rng: np.random.Generator) -> TextLine:
    boxes = [box for token in form.lines[index].tokens for box in token.boxes]
    edges = np.array([(box.x, box.y, box.right, box.bottom) for box in boxes]) * FORMS["dpi"] / SCAN_DPI
    left, right = edges[:, 0].min(), edges[:, 2].max()
    # Long ascenders of a few letters do not make a detector's box higher.
    top, bottom = np.percentile(edges[:, 1], 20), np.percentile(edges[:, 3], 80)
    height = (bottom - top) * 1.25 * np.exp(rng.normal(0, 0.1))
    x, y = (left + right) / 2, (top + bottom) / 2
    return TextLine((TextBox(float(x), float(y), float(right - left), float(height), 0.0, 1.0),))
