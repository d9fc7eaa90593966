"""The calibration of a model folder on held-out pages, and what it changes."""

import json

import numpy as np
import pytest

from text_recognizer.corpora.packed_pages import PackedSplit
from text_recognizer.evaluation.model_calibration import calibrate
from text_recognizer.inference import Recognizer
from text_recognizer.inference.transcription import UNCALIBRATED, Calibration


@pytest.fixture
def trained(learn_to_read, copied):
    """A trained model, uncalibrated."""
    model = copied(learn_to_read(130))
    info = json.loads((model / "reader.json").read_text(encoding="utf-8"))
    uncalibrated = {"temperature": UNCALIBRATED.temperature, "exponent": UNCALIBRATED.exponent}
    (model / "reader.json").write_text(json.dumps(info | uncalibrated), encoding="utf-8")
    return model


def test_calibration_lowers_the_calibration_error_and_changes_no_text(trained, printed_words):
    canvases = np.asarray(PackedSplit.open(printed_words, "test").canvases)
    before = [one.text for one in Recognizer.load(trained).read_canvases(canvases)]
    found = calibrate(trained, printed_words)
    recognizer = Recognizer.load(trained)
    assert recognizer.info.calibration == found.calibration != UNCALIBRATED
    assert found.after.characters < found.before.characters
    assert [one.text for one in recognizer.read_canvases(canvases)] == before


def test_a_model_is_left_uncalibrated_if_there_are_too_few_characters(trained, printed_split, tmp_path):
    (tmp_path / "few").mkdir()
    printed_split([("to be",)]).save(tmp_path / "few", "validation")
    info = json.loads((trained / "reader.json").read_text(encoding="utf-8"))
    (trained / "reader.json").write_text(json.dumps(info | {"temperature": 2.0}), encoding="utf-8")
    found = calibrate(trained, tmp_path / "few")
    assert 0 < found.characters < 200
    assert Recognizer.load(trained).info.calibration == found.calibration == Calibration(1.0, 1.0)
