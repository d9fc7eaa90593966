"""The artifact of a run says what was decided and why, beside the model in service, and shows the worst pages."""

import base64
import io
import json
import re

import numpy as np
import pytest
from PIL import Image
from tests.drawn import random_texts, written_split
from tests.lazy import lazy

from text_recognizer.core.layout import Layout
from text_recognizer.core.schemas import RuleResult, Score, TagRecord, Verdict
from text_recognizer.release.ledger import RegistryTag
from text_recognizer.release.promotion import Challenge

artifact = lazy("flows.run_artifact")
worst = lazy("flows.worst_pages")


@pytest.fixture
def project(tmp_path, score, verdict):
    """The reports of a run, and five packed test pages, of which p3 is misread most; p9 is no longer packed."""
    files = Layout(tmp_path)
    files.processed.mkdir(parents=True)
    files.score.parent.mkdir(parents=True)
    split = written_split(random_texts(5, 1))
    split.save(files.processed, "test")
    edits = {"p0": 1, "p1": 5, "p2": 0, "p3": 9, "p4": 2, "p9": 10}
    rows = [
        {"id": name, "writer": "w", "reference": "to be", "prediction": "a*b\n`c", "confidence": 0.5, "edits": count,
         "characters": 10, "cer": count / 10, "length_ratio": 1.0}
        for name, count in edits.items()
    ]  # fmt: skip
    files.pages.write_text("\n".join(map(json.dumps, rows)) + "\n")
    files.score.write_text(json.dumps(score))
    files.verdict.write_text(json.dumps(verdict))
    return tmp_path


def beside(score, passed):
    """A comparison with a model in service whose CER is 12 %."""
    tag = RegistryTag("reader#champion#2", 2, "c" * 40, "2026-11-20T12:00:00+00:00", "Ann", TagRecord(version="v4.0.0"))
    rule = RuleResult(name="better", limit=0.0, value=-0.01, passed=passed, reason="the CER is 2 % lower")
    return Challenge(tag, json.dumps(score | {"cer": 0.12, "cer_interval": [0.1, 0.14]}), [rule])


def test_the_worst_pages_are_pictures_inside_the_text_the_worst_first(project):
    shown = worst.worst_pages(project)
    assert re.findall(r"!\[page (\w+)\]", shown) == ["p3", "p1", "p4"]
    pictures = re.findall(r"\(data:image/png;base64,([^)]+)\)", shown)
    for content in pictures:
        picture = Image.open(io.BytesIO(base64.b64decode(content)))
        assert all(np.less_equal(picture.size, worst.LARGEST))
        assert np.asarray(picture).min() < 128, "there is no ink"
    assert len(pictures) == 3
    assert "`a*b / 'c`" in shown


@pytest.mark.parametrize("gone", ["pages", "processed"])
def test_without_the_pages_or_their_readings_none_are_shown(project, gone):
    place = getattr(Layout(project), gone)
    place.rename(place.with_name("elsewhere"))
    assert worst.worst_pages(project) == ""


@pytest.mark.parametrize("passed", [True, False])
def test_the_model_in_service_is_shown_with_its_intervals_and_why_it_may_be_replaced_or_not(project, score, passed):
    shown = artifact.markdown(project, [("data", "10 forms")], "", beside(score, passed))
    assert "| CER | 10.00% (8.00% to 12.00%) | 12.00% (10.00% to 14.00%) |" in shown
    assert "|  | this model | v4.0.0 |" in shown
    assert ("may replace v4.0.0" in shown, "may not replace v4.0.0" in shown) == (passed, not passed)
    assert f"| {'✓' if passed else '✗'} | better | 0 | -0.01 | the CER is 2 % lower |" in shown
    assert shown.count("data:image/png") == 3


def test_why_there_is_no_comparison_is_said(score, rejected_verdict):
    said = artifact.sentences(Verdict.model_validate(rejected_verdict), "It was not compared.")
    assert ("1 of 2" in said[0], said[1]) == (True, "It was not compared.")
    rows = artifact.figures(Score.model_validate(score), None)
    assert {row[2] for row in rows} == {"none"}
