"""Training the line classifier: it learns to tell kinds apart, and equal seeds give equal files."""

import numpy as np
import pytest

from text_recognizer.core.errors import DataError
from text_recognizer.data.line_kind_drawings import written_strips
from text_recognizer.data.line_kind_patterns import pattern_strips
from text_recognizer.data.line_kind_strips import KindStrip
from text_recognizer.inference.line_kind import GRAPH_FILE, KINDS, NONE, PRINTED, WRITTEN, LineKindClassifier
from text_recognizer.training.line_kind_export import export_line_kind
from text_recognizer.training.line_kind_training import (
    KindTraining,
    StripSampler,
    collections_of,
    confusion,
    fit_temperature,
    train_line_kind,
)


def _typed(count):
    """Strips with upright bars of equal height and spacing, which stand for print."""
    for index in range(count):
        strip = np.full((96, 400), 255, dtype=np.uint8)
        strip[30:66, 30 + index % 7 : 370 : 14] = 0
        strip[48:51, 30:370] = 0
        yield KindStrip(strip, PRINTED, "bars/0")


@pytest.fixture(scope="module")
def strips():
    return [*written_strips(6, "train"), *_typed(20), *pattern_strips(40, "train")]


def test_a_missing_kind_is_named():
    with pytest.raises(DataError, match="written"):
        train_line_kind(list(_typed(3)), KindTraining(steps=1))


def test_confusion_counts_rows_by_truth():
    logits = np.array([[3.0, 0, 0], [0, 0, 2], [0, 0, 2]])
    assert confusion(logits, np.array([WRITTEN, PRINTED, NONE])) == [[1, 0, 0], [0, 0, 1], [0, 0, 1]]


def test_overconfident_logits_get_a_temperature_above_one():
    rng = np.random.default_rng(1)
    kinds = rng.integers(0, len(KINDS), 500)
    guesses = np.where(rng.random(500) < 0.7, kinds, rng.integers(0, len(KINDS), 500))
    logits = 8 * np.eye(len(KINDS))[guesses]
    assert fit_temperature(logits, kinds) > 1.5


def test_a_batch_has_strips_of_similar_width(strips):
    sampler = StripSampler(strips, seed=1)
    batches = [sampler.draw(8) for _ in range(6)]
    longest = [int(widths.max()) for _, widths, _ in batches]
    assert max(longest) > 1.5 * min(longest)
    assert all(float(widths.float().mean()) > 0.5 * int(widths.max()) for _, widths, _ in batches)


def test_collections_are_counted_by_kind(strips):
    assert collections_of(list(_typed(3))) == ["printed: bars, 3 strips"]
    assert len(collections_of(strips)) == len({(strip.kind, strip.source.partition("/")[0]) for strip in strips})


@pytest.mark.slow
def test_training_learns(strips, tmp_path):
    network = train_line_kind(strips, KindTraining(steps=120, batch_size=12))
    export_line_kind(network, tmp_path, 1.0, ("drawn",), {})
    answers = LineKindClassifier.load(tmp_path, threads=1).classify([strip.pixels for strip in strips])
    assert np.mean(answers.argmax(axis=1) == [strip.kind for strip in strips]) > 0.8


@pytest.mark.slow
def test_training_and_export_repeat(strips, tmp_path):
    for name in ("first", "second"):
        network = train_line_kind(strips, KindTraining(steps=5, batch_size=12))
        export_line_kind(network, tmp_path / name, 1.0, ("drawn",), {})
    first, second = ((tmp_path / name / GRAPH_FILE).read_bytes() for name in ("first", "second"))
    assert first == second
