"""How far a model's confidence can be believed, and what temperature and power make it believable.

Confidence is a promise: of all characters (words) read with confidence 0.9, nine in ten should be right.
"""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from rapidfuzz.distance import Levenshtein

from text_recognizer.inference import Reading
from text_recognizer.inference.reading import Doubt
from text_recognizer.metrics import align
from text_recognizer.text import one_line

BINS = 15
SHARES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0)
# What lies outside is no matter of confidence.
TEMPERATURES, POWERS, GRID = (0.2, 5.0), (0.1, 3.0), 25
Judged = tuple[np.ndarray, np.ndarray]  # confidences (n,) and which of them were right (n,), both float


def judged(pages: Iterable[tuple[str, Reading]]) -> dict[str, Judged]:
    """Characters, words and lines of (reference, reading) pairs: how sure the model was, and whether it was right.

    A line promises a share: its confidence is the mean over its characters, and its outcome the share that was right.
    """
    found: dict[str, list[tuple[float, float]]] = {"characters": [], "words": [], "lines": []}
    for reference, reading in pages:
        _judge(reference, reading, found)
    return {kind: _columns(rows) for kind, rows in found.items()}


def _judge(reference: str, reading: Reading, found: dict[str, list[tuple[float, float]]]) -> None:
    flags = right_characters(reference, reading.text)
    words = iter(right_words(reference, reading.text))
    start = 0
    for line in reading.lines:
        own = flags[start : start + len(line.text)]
        start += len(line.text) + 1  # the newline between two lines is nobody's character
        found["characters"] += list(zip(line.characters, own, strict=True))
        found["words"] += [(confidence, next(words)) for _, confidence in line.words]
        found["lines"].append((line.confidence, sum(own) / len(own)))


def _columns(rows: Sequence[tuple[float, float]]) -> Judged:
    table = np.array(rows, dtype=np.float64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def right_characters(reference: str, prediction: str) -> list[float]:
    """1.0 for each character of the prediction that the alignment with the truth leaves alone, else 0.0."""
    flags: list[float] = []
    for span in align(one_line(reference), one_line(prediction)):
        flags += [float(span.kind == "equal")] * len(span.hypothesis)
    return flags


def right_words(reference: str, prediction: str) -> list[float]:
    """1.0 for each word of the prediction that the alignment of the words leaves alone, else 0.0."""
    own = prediction.split()
    flags = [0.0] * len(own)
    for step in Levenshtein.opcodes(reference.split(), own):
        if step.tag == "equal":
            flags[step.dest_start : step.dest_end] = [1.0] * (step.dest_end - step.dest_start)
    return flags


def expected_error(judgements: Judged) -> float | None:
    """Expected calibration error: over bins of equal width, the mean gap between confidence and outcome, by size."""
    rows = reliability(judgements)
    total = sum(row["count"] for row in rows)
    return sum(row["count"] * abs(row["confidence"] - row["right"]) for row in rows) / total if total else None


def reliability(judgements: Judged) -> list[dict[str, Any]]:
    """The bins that hold anything: how many, how sure on average, and what share was right."""
    sure, right = judgements
    place = np.minimum((sure * BINS).astype(int), BINS - 1)
    rows = []
    for index in range(BINS):
        inside = place == index
        if inside.any():
            means = float(sure[inside].mean()), float(right[inside].mean())
            rows.append({"count": int(inside.sum()), "confidence": means[0], "right": means[1]})
    return rows


def review(judgements: Judged, shares: Sequence[float] = SHARES) -> list[dict[str, Any]]:
    """Re-reading the least sure share of the words: what share of the wrong ones is found, and below what confidence.

    `chance` is what re-reading as many words picked blindly would find.
    """
    sure, right = judgements
    if not len(sure):
        return []
    order = np.argsort(sure, kind="stable")
    wrong = 1 - right[order]
    rows = []
    for share in shares:
        count = max(1, round(share * len(order)))
        found = float(wrong[:count].sum() / wrong.sum()) if wrong.sum() else 1.0
        threshold = float(sure[order[count - 1]])
        rows.append({"share": share, "words": count, "found": found, "threshold": threshold, "chance": share})
    return rows


def fit(rows: np.ndarray, emitted: np.ndarray, right: np.ndarray) -> Doubt:
    """The doubt, to two digits, at which the characters' confidences are likeliest.

    `rows` (n, C) are log-probabilities where each character was read, `emitted` (n,) its ids, `right` (n,) 0 or 1.
    """
    edges = np.log([TEMPERATURES, POWERS])
    for _ in range(2):
        axes = np.linspace(edges[:, 0], edges[:, 1], GRID, axis=1)
        losses = [surprise(rows, emitted, right, temperature, np.exp(axes[1])) for temperature in np.exp(axes[0])]
        place = np.unravel_index(int(np.argmin(losses)), (GRID, GRID))
        best, step = axes[[0, 1], place], axes[:, 1] - axes[:, 0]
        edges = np.stack([best - step, best + step], axis=1)
    temperature, power = np.exp(best).round(2).tolist()
    return Doubt(temperature, power)


def surprise(
    rows: np.ndarray, emitted: np.ndarray, right: np.ndarray, temperature: float, powers: np.ndarray
) -> np.ndarray:
    """Mean negative log-likelihood (P,) of right and wrong, in nats a character, for each of the powers (P,)."""
    scaled = rows / temperature
    own = scaled[np.arange(len(scaled)), emitted]
    peak = scaled.max(axis=1)
    sure = own - peak - np.log(np.exp(scaled - peak[:, None]).sum(axis=1))
    confidences = np.clip(np.exp(np.outer(powers, sure)), 1e-6, 1 - 1e-6)
    return np.asarray(-(right * np.log(confidences) + (1 - right) * np.log1p(-confidences)).mean(axis=1))


def figures_of(reading: dict[str, Judged], plain: dict[str, Judged], doubt: Doubt, budget: float) -> dict[str, Any]:
    """The table `calibration` of a score: errors after and before the fitted doubt, the bins and the review curve.

    `budget` is the share of the words that somebody has time to re-read: `at_budget` says what that finds.
    """
    table: dict[str, Any] = {"temperature": doubt.temperature, "power": doubt.power}
    for kind, judgements in reading.items():
        table[f"ece_{kind}"] = expected_error(judgements)
        table[f"ece_{kind}_before"] = expected_error(plain[kind])
    chosen = review(reading["words"], (budget,))
    return {
        **table,
        "at_budget": chosen[0] if chosen else None,
        "reliability": reliability(reading["words"]),
        "review": review(reading["words"]),
    }
