"""When to train again: by the age of the model in service, the corrections that wait, and how the service does."""

import dataclasses
import datetime
import json

import pytest

from text_recognizer.core.layout import Layout
from text_recognizer.release.service_traffic import Traffic
from text_recognizer.release.watching import (
    Facts,
    LastLook,
    Limits,
    corrections_waiting,
    drift_found,
    last_look,
    reason_to_wait,
    reasons_to_retrain,
)

NOW = datetime.datetime(2026, 11, 27, 12, tzinfo=datetime.UTC)
LIMITS = Limits(max_days=30, max_corrections=20)
YOUNG = Facts("v2.0.0", "2026-11-20T12:00:00+00:00", 3)


@pytest.mark.parametrize(
    ("facts", "count"),
    [
        (YOUNG, 0),
        (Facts("v2.0.0", "2026-10-27T12:00:00+00:00", 3), 1),
        (Facts("v2.0.0", "2026-11-20T12:00:00+00:00", 20), 1),
        (Facts("v2.0.0", "2026-10-27T12:00:00+00:00", 21), 2),
        (Facts(None, None, 0), 1),
        (Facts("v2.0.0", "2026-11-20T12:00:00+00:00", 3, drift="capitals"), 0),
    ],
    ids=["young", "old", "corrections", "both", "no model", "drift"],
)
def test_age_and_corrections_are_reasons_and_drift_is_none(facts, count):
    assert len(reasons_to_retrain(facts, LIMITS, NOW)) == count


@pytest.mark.parametrize(
    ("now", "count"),
    [("2026-11-19T13:00:00+00:00", 0), ("2026-11-01T12:00:00+00:00", 1), ("1970-01-01T00:00:01+00:00", 1)],
    ids=["an hour or so", "weeks", "the epoch"],
)
def test_a_clock_that_jumped_back_makes_no_age_and_a_model_of_the_future_does_not_stay_for_ever(now, count):
    assert len(reasons_to_retrain(YOUNG, LIMITS, datetime.datetime.fromisoformat(now))) == count


@pytest.mark.parametrize(
    ("started", "waits"),
    [
        (None, False),
        ("2026-11-27T11:00:00+00:00", True),
        ("2026-11-26T13:00:00+01:00", False),
        ("2026-11-27T12:00:00+00:00", True),
        ("2027-11-27T12:00:00+00:00", False),
    ],
    ids=["never", "an hour ago", "a day ago", "now", "by a clock that was a year ahead"],
)
def test_a_second_training_waits_a_day_by_a_clock_that_was_right(started, waits):
    facts = dataclasses.replace(YOUNG, started=started)
    assert bool(reason_to_wait(facts, LIMITS, NOW)) is waits


@pytest.mark.parametrize(
    ("requests", "failed", "waits"), [(100, 5, False), (100, 6, True), (20, 20, True), (19, 19, False), (0, 0, False)]
)
def test_no_training_is_started_while_the_service_fails_more_than_its_share(requests, failed, waits):
    facts = dataclasses.replace(YOUNG, traffic=Traffic(requests=requests, failed=failed))
    assert bool(reason_to_wait(facts, LIMITS, NOW)) is waits


@pytest.mark.parametrize("text", [None, "", "[]", '{"traffic": 3}'])
def test_a_last_look_that_is_missing_or_damaged_counts_as_none(tmp_path, text):
    if text is not None:
        Layout(tmp_path).last_look.parent.mkdir(parents=True)
        Layout(tmp_path).last_look.write_text(text)
    assert last_look(tmp_path) == LastLook()


SUMMARY = {
    "passed": False, "sha256": "ab" * 32, "split": "aachen", "drift": "compared",
    "counts": {"forms": 1, "lines": 1, "writers": 1, "excluded": 0}, "splits": {}, "sources": [], "forms_at_fault": [],
    "feedback": {"accepted": ["a"], "refused": {"b": ["no text"]}},
    "expectations": [{"suite": "drift", "name": "character_drift", "column": "mix", "passed": False, "rows": 1,
                      "failed": 1, "ids": [], "found": [], "fails_when": "more", "wrong": "0.3", "fix": "-"}],
}  # fmt: skip


def test_the_corrections_that_came_after_the_last_validation_wait(tmp_path):
    files = Layout(tmp_path)
    assert (corrections_waiting(tmp_path), drift_found(tmp_path)) == (0, None)
    files.feedback.mkdir(parents=True)
    for name in ("a", "b", "c"):
        (files.feedback / f"{name}.json").touch()
    (files.feedback / "README.md").touch()
    assert corrections_waiting(tmp_path) == 3
    files.validation.parent.mkdir()
    files.validation.write_text(json.dumps(SUMMARY))
    assert corrections_waiting(tmp_path) == 1
    assert "0.3" in drift_found(tmp_path)
