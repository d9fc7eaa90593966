"""Calibration: how well confidences match outcomes, and the temperature and exponent at which they match best.

Of all characters (words) with confidence 0.9, nine in ten should be right.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from rapidfuzz.distance import Levenshtein

from text_recognizer.core.charset import join_lines
from text_recognizer.core.metrics import align
from text_recognizer.core.schemas import CalibrationFigures, ReliabilityBin, ReviewPoint
from text_recognizer.inference import Transcription
from text_recognizer.inference.transcription import Calibration

BINS = 15
REVIEW_SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0)
# The ranges that are searched. A model outside of them has other faults than its calibration.
TEMPERATURES, EXPONENTS, GRID = (0.2, 5.0), (0.1, 3.0), 25


@dataclass(frozen=True)
class Judged:
    """Confidences (n,) and outcomes (n,), both in 0..1: 1 is right, 0 is wrong."""

    confidences: np.ndarray
    outcomes: np.ndarray

    @classmethod
    def of(cls, rows: Sequence[tuple[float, float]]) -> "Judged":
        """Collect pairs of a confidence and an outcome."""
        table = np.array(rows, dtype=np.float64).reshape(-1, 2)
        return cls(table[:, 0], table[:, 1])


@dataclass(frozen=True)
class JudgedPages:
    """The judged confidences of all characters, words and lines of some pages."""

    characters: Judged
    words: Judged
    lines: Judged


@dataclass(frozen=True)
class CalibrationErrors:
    """The expected calibration errors of characters, words and lines; None if there are none."""

    characters: float | None
    words: float | None
    lines: float | None


def judge_confidences(pages: Iterable[tuple[str, Transcription]]) -> JudgedPages:
    """Judge the confidences of the characters, words and lines of (reference text, transcription) pairs.

    The confidence of a line is the mean over its characters, so its outcome is the share of them that is right.
    """
    characters: list[tuple[float, float]] = []
    words: list[tuple[float, float]] = []
    lines: list[tuple[float, float]] = []
    for reference, transcription in pages:
        outcomes = character_outcomes(reference, transcription.text)
        of_words = iter(word_outcomes(reference, transcription.text))
        start = 0
        for line in transcription.lines:
            of_line = outcomes[start : start + len(line.text)]
            start += len(line.text) + 1  # the newline between two lines has no confidence
            characters += zip(line.characters, of_line, strict=True)
            words += [(confidence, next(of_words)) for _, confidence in line.words]
            lines.append((line.confidence, sum(of_line) / len(of_line)))
    return JudgedPages(Judged.of(characters), Judged.of(words), Judged.of(lines))


def character_outcomes(reference: str, prediction: str) -> list[float]:
    """Return 1.0 for each character of the prediction that its alignment with the reference keeps, else 0.0."""
    outcomes: list[float] = []
    for span in align(join_lines(reference), join_lines(prediction)):
        outcomes += [float(span.kind == "equal")] * len(span.hypothesis)
    return outcomes


def word_outcomes(reference: str, prediction: str) -> list[float]:
    """Return 1.0 for each word of the prediction that its alignment with the reference keeps, else 0.0."""
    predicted = prediction.split()
    outcomes = [0.0] * len(predicted)
    for step in Levenshtein.opcodes(reference.split(), predicted):
        if step.tag == "equal":
            outcomes[step.dest_start : step.dest_end] = [1.0] * (step.dest_end - step.dest_start)
    return outcomes


def expected_calibration_error(judged: Judged) -> float | None:
    """Return the mean gap between confidence and outcome over bins of equal width, weighted by their sizes."""
    bins = reliability(judged)
    total = sum(one.count for one in bins)
    return sum(one.count * abs(one.confidence - one.right) for one in bins) / total if total else None


def calibration_errors(judged: JudgedPages) -> CalibrationErrors:
    """Return the expected calibration errors of characters, words and lines."""
    return CalibrationErrors(
        expected_calibration_error(judged.characters),
        expected_calibration_error(judged.words),
        expected_calibration_error(judged.lines),
    )


def reliability(judged: Judged) -> tuple[ReliabilityBin, ...]:
    """Return the reliability diagram: the bins that are not empty, by confidence."""
    index = np.minimum((judged.confidences * BINS).astype(int), BINS - 1)
    bins = []
    for number in range(BINS):
        inside = index == number
        if inside.any():
            confidence, right = float(judged.confidences[inside].mean()), float(judged.outcomes[inside].mean())
            bins.append(ReliabilityBin(count=int(inside.sum()), confidence=confidence, right=right))
    return tuple(bins)


def risk_coverage(judged: Judged, shares: Sequence[float] = REVIEW_SHARES) -> tuple[ReviewPoint, ...]:
    """Return the share of the wrong words that is found when the words of the lowest confidence are re-read.

    One point for each of `shares`, the share of the words that is re-read.
    """
    if not len(judged.confidences):
        return ()
    order = np.argsort(judged.confidences, kind="stable")
    wrong = 1 - judged.outcomes[order]
    points = []
    for share in shares:
        count = max(1, round(share * len(order)))
        found = float(wrong[:count].sum() / wrong.sum()) if wrong.sum() else 1.0
        threshold = float(judged.confidences[order[count - 1]])
        points.append(ReviewPoint(share=share, words=count, found=found, threshold=threshold, chance=share))
    return tuple(points)


def fit_calibration(log_probabilities: np.ndarray, emitted: np.ndarray, outcomes: np.ndarray) -> Calibration:
    """Return the temperature and exponent, to two digits, at which the outcomes of the characters are the likeliest.

    `log_probabilities` (n, C) are those of the column that emitted each character, `emitted` (n,) their ids,
    `outcomes` (n,) 0 or 1. Searches a logarithmic grid, then a finer one around its best point.
    """
    edges = np.log([TEMPERATURES, EXPONENTS])
    for _ in range(2):
        axes = np.linspace(edges[:, 0], edges[:, 1], GRID, axis=1)
        losses = [
            negative_log_likelihood(log_probabilities / temperature, emitted, outcomes, np.exp(axes[1]))
            for temperature in np.exp(axes[0])
        ]
        index = np.unravel_index(int(np.argmin(losses)), (GRID, GRID))
        best, step = axes[[0, 1], index], axes[:, 1] - axes[:, 0]
        edges = np.stack([best - step, best + step], axis=1)
    temperature, exponent = np.exp(best).round(2).tolist()
    return Calibration(temperature, exponent)


def negative_log_likelihood(
    scaled: np.ndarray, emitted: np.ndarray, outcomes: np.ndarray, exponents: np.ndarray
) -> np.ndarray:
    """Return the mean negative log-likelihood of the outcomes (n,), in nats, for each of the exponents (P,).

    `scaled` (n, C) are log-probabilities divided by the temperature, `emitted` (n,) the ids of the characters.
    """
    of_emitted = scaled[np.arange(len(scaled)), emitted]
    peak = scaled.max(axis=1)
    log_confidences = of_emitted - peak - np.log(np.exp(scaled - peak[:, None]).sum(axis=1))
    confidences = np.clip(np.exp(np.outer(exponents, log_confidences)), 1e-6, 1 - 1e-6)
    likelihoods = outcomes * np.log(confidences) + (1 - outcomes) * np.log1p(-confidences)
    return np.asarray(-likelihoods.mean(axis=1))


def calibration_figures(
    calibrated: JudgedPages, uncalibrated: JudgedPages, calibration: Calibration, review_budget: float
) -> CalibrationFigures:
    """Return the calibration figures of a score. `review_budget` is the share of the words that a person re-reads."""
    after, before = calibration_errors(calibrated), calibration_errors(uncalibrated)
    at_budget = risk_coverage(calibrated.words, (review_budget,))
    return CalibrationFigures(
        temperature=calibration.temperature,
        exponent=calibration.exponent,
        ece_characters=after.characters,
        ece_characters_before=before.characters,
        ece_words=after.words,
        ece_words_before=before.words,
        ece_lines=after.lines,
        ece_lines_before=before.lines,
        at_budget=at_budget[0] if at_budget else None,
        reliability=reliability(calibrated.words),
        review=risk_coverage(calibrated.words),
    )
