"""A reader checks the labels of the training lines: what disagrees fails, and is left out of training on request."""

import json

import numpy as np
import pytest
from PIL import Image
from tests.drawn import draw_words
from tests.sources import page_source, sources_of

from text_recognizer.core.geometry import Box
from text_recognizer.corpora.iam import Form, Line
from text_recognizer.corpora.packed_pages import PackedSplit
from text_recognizer.preprocess import locally, pack
from text_recognizer.preprocess.accepted_corrections import left_out_labels
from text_recognizer.stages.strip_reader import line_reader
from text_recognizer.validation import Beside, validate
from text_recognizer.validation.form_validation import examine
from text_recognizer.validation.label_audit import audit_form

pytestmark = pytest.mark.slow
TRUE = ["The first line,", 'and "a second".']


def read(strips):
    """Read the lines of a form, with one misread character."""
    return [f"x{text[1:]}" for text in TRUE[: len(strips)]]


@pytest.fixture
def audited(corpus, tmp_path, params, site):
    """Validate the corpus with an audit. Return the outcome."""

    def run(docs=False, **changes):
        own = params.model_copy(update={"validate_": params.validate_.model_copy(update=changes)})
        source = page_source(corpus.save(tmp_path / "iamdb.zip"))
        if docs:
            return validate([source], own, site, Beside(read=read))
        return examine([source], own, Beside(read=read)).outcome

    return run


def relabel_second(corpus, form_id):
    corpus.relabel(form_id, "'and \"a second\".'", '"another sentence"')


def test_labels_that_agree_pass_and_only_training_lines_are_read(audited):
    outcome = audited(audit="report")
    assert outcome.passed
    assert (outcome.summary.audit.lines, outcome.summary.audit.disagreeing) == (6, ())


def test_a_label_of_another_text_fails_alone_and_is_named(corpus, audited, failing):
    relabel_second(corpus, "a01-001")
    outcome = audited(audit="report")
    assert list(failing(outcome)) == ["text_agrees"]
    assert outcome.summary.audit.disagreeing == ("a01-001-01",)
    assert outcome.summary.forms_at_fault == ("a01-001",)
    assert outcome.summary.audit.forms == ()


def test_up_to_the_limit_such_labels_are_listed_and_the_data_are_valid(corpus, audited, site):
    relabel_second(corpus, "a01-001")
    relabel_second(corpus, "a01-002")
    corpus.relabel("a01-002", "The first line,", "zzzzzzz zzz zzz")
    assert audited(docs=True, audit="report", max_disagreeing=0.5).passed
    page = (site / "audit.html").read_text()
    rows = [page.index(f"<code>{line}</code>") for line in ("a01-002-00", "a01-002-01", "a01-001-01")]
    assert rows[0] == min(rows)
    assert page.index("<code>a01-002</code>") < page.index("<code>a01-001</code>")
    assert (site / "pictures/audit-0.jpg").read_bytes()[:2] == b"\xff\xd8"


def test_lines_that_disagree_are_left_out_of_training_on_request(corpus, audited, params, tmp_path):
    # Given a form with one wrong label, and one with two
    relabel_second(corpus, "a01-001")
    relabel_second(corpus, "a01-002")
    corpus.relabel("a01-002", "The first line,", "zzzzzzz zzz zzz")
    texts = {}
    for choice in ("report", "leave_out"):
        summary = audited(audit=choice, max_disagreeing=0.5).summary.model_dump(mode="json")
        (tmp_path / f"{choice}.json").write_text(json.dumps(summary))
        # When the splits are packed with the validation's result
        sources = sources_of(tmp_path / "iamdb.zip", params.data, left_out=left_out_labels(tmp_path / f"{choice}.json"))
        section = params.preprocess.model_copy(update={"line_height": 0})
        pack(sources, section, tmp_path / choice, locally(1))
        train = PackedSplit.open(tmp_path / choice, "train")
        texts[choice] = {page.id: (page.text.split("\n"), page.boxes) for page in train.pages}
    # Then only the request leaves out the line, and the form that has no other
    assert {form_id: len(lines) for form_id, (lines, _) in texts["report"].items()} == {
        "a01-000": 2, "a01-001": 2, "a01-002": 2,
    }  # fmt: skip
    assert {form_id: lines for form_id, (lines, _) in texts["leave_out"].items()} == {
        "a01-000": TRUE, "a01-001": TRUE[:1],
    }  # fmt: skip


def test_the_reader_finds_exchanged_lines_and_no_others(good_reader):
    texts = ["the red dog", "ink and pen", "a garden", "seven letters"]
    picture, boxes = np.full((400, 700), 255, dtype=np.uint8), []
    for number, text in enumerate(texts):
        line = draw_words(text, seed=number)
        top, left = 100 * number + 20, 60
        picture[top : top + line.shape[0], left : left + line.shape[1]] = line
        boxes.append(Box(2 * left, 2 * top, 2 * line.shape[1], 2 * line.shape[0]))
    swapped = [texts[1], texts[0], *texts[2:]]
    lines = tuple(Line(f"f-{n}", *row, "ok") for n, row in enumerate(zip(swapped, boxes, strict=True)))
    found = audit_form(
        "x", Form("f", "w", 1400, 800, lines), np.asarray(Image.fromarray(picture)), line_reader(good_reader)
    )
    assert [line.cer > 0.5 for line in found] == [True, True, False, False]
