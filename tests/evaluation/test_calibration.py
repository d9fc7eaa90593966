"""Calibration: outcomes of characters, words and lines, calibration errors, the risk-coverage curve, and the fit."""

import numpy as np
import pytest

from text_recognizer.core.geometry import Box
from text_recognizer.evaluation.calibration import (
    Judged,
    expected_calibration_error,
    fit_calibration,
    judge_confidences,
    reliability,
    risk_coverage,
)
from text_recognizer.inference import TranscribedLine, Transcription
from text_recognizer.inference.transcription import Calibration, tempered


def transcription(*lines):
    """A transcription of lines, given as (text, confidence of each character)."""
    box = Box(0, 0, 1, 1)
    return Transcription.of(
        [TranscribedLine(text, sum(values) / len(values), box, tuple(values)) for text, values in lines]
    )


def test_characters_words_and_lines_have_their_own_confidences_and_outcomes():
    read = transcription(("to bo", [0.9] * 4 + [0.3]), ("or not", [0.8] * 6))
    judged = judge_confidences([("to be\nor not", read)])
    assert judged.characters.outcomes.tolist() == [1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1]
    assert judged.words.outcomes.tolist() == [1, 0, 1, 1]
    assert judged.words.confidences[1] == pytest.approx(0.9 * 0.3)
    assert judged.lines.outcomes.tolist() == [pytest.approx(4 / 5), 1]
    assert judged.lines.confidences.tolist() == [pytest.approx((4 * 0.9 + 0.3) / 5), pytest.approx(0.8)]


def test_the_expected_calibration_error_is_the_weighted_gap_between_confidence_and_outcome():
    confidences = np.array([0.9] * 10 + [0.5] * 10)
    outcomes = np.array([1.0] * 8 + [0.0] * 2 + [1.0] * 5 + [0.0] * 5)
    assert expected_calibration_error(Judged(confidences, outcomes)) == pytest.approx(0.5 * 0.1)
    assert [(one.count, one.right) for one in reliability(Judged(confidences, outcomes))] == [(10, 0.5), (10, 0.8)]


def test_without_characters_there_is_no_calibration_error_and_no_curve():
    nothing = Judged.of([])
    assert expected_calibration_error(nothing) is None
    assert risk_coverage(nothing) == ()


def test_re_reading_the_words_of_lowest_confidence_finds_most_of_the_wrong_ones():
    confidences, outcomes = np.linspace(0.01, 1, 100), np.array([0.0] * 8 + [1.0] * 90 + [0.0] * 2)
    (point,) = risk_coverage(Judged(confidences, outcomes), (0.1,))
    assert (point.words, point.found, point.chance) == (10, 0.8, 0.1)
    assert point.threshold == pytest.approx(0.1)


@pytest.mark.parametrize(("temperature", "exponent"), [(0.5, 1.0), (1.0, 1.0), (2.5, 1.0), (1.6, 0.4)])
def test_the_fit_recovers_a_known_calibration(temperature, exponent):
    # Given characters that are right as often as a known calibration says
    generator = np.random.default_rng(3)
    scores = generator.normal(0, 3, (8_000, 10))
    log_probabilities = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    emitted = scores.argmax(axis=1)

    def confidences(calibration):
        probabilities = tempered(log_probabilities, calibration.temperature)[np.arange(len(scores)), emitted]
        return probabilities**calibration.exponent

    true = confidences(Calibration(temperature, exponent))
    # When a calibration is fitted to their outcomes
    found = fit_calibration(log_probabilities, emitted, (generator.random(len(true)) < true).astype(float))
    # Then its confidences are nearly the same
    assert np.abs(confidences(found) - true).mean() < 0.01
