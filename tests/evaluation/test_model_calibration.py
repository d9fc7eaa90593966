"""The calibration of a model folder on held-out pages, and what it changes."""

import json

import pytest
from tests.drawn import written_split

from text_recognizer.corpora.packed_pages import PackedSplit
from text_recognizer.evaluation.model_calibration import calibrate
from text_recognizer.evaluation.scoring import read_split
from text_recognizer.inference import Recognizer
from text_recognizer.inference.transcription import UNCALIBRATED, Calibration


@pytest.fixture
def trained(good_reader, copied):
    """The pretrained reader, uncalibrated."""
    model = copied(good_reader)
    info = json.loads((model / "reader.json").read_text(encoding="utf-8"))
    uncalibrated = {"temperature": UNCALIBRATED.temperature, "exponent": UNCALIBRATED.exponent}
    (model / "reader.json").write_text(json.dumps(info | uncalibrated), encoding="utf-8")
    return model


@pytest.mark.slow
def test_calibration_lowers_the_calibration_error_and_changes_no_text(trained, written_words):
    packed = PackedSplit.open(written_words, "test")
    before = [one.prediction for one in read_split(Recognizer.load(trained), packed)]
    found = calibrate(trained, written_words)
    recognizer = Recognizer.load(trained)
    assert recognizer.info.calibration == found.calibration != UNCALIBRATED
    assert found.after.characters < found.before.characters
    assert [one.prediction for one in read_split(recognizer, packed)] == before


def test_a_model_is_left_uncalibrated_if_there_are_too_few_characters(trained, tmp_path):
    (tmp_path / "few").mkdir()
    written_split(["the red dog"]).save(tmp_path / "few", "validation")
    info = json.loads((trained / "reader.json").read_text(encoding="utf-8"))
    (trained / "reader.json").write_text(json.dumps(info | {"temperature": 2.0}), encoding="utf-8")
    found = calibrate(trained, tmp_path / "few")
    assert 0 < found.characters < 200
    assert Recognizer.load(trained).info.calibration == found.calibration == Calibration(1.0, 1.0)
