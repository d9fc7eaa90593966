"""When to train again: by the age of the model in service and by the corrections that wait."""

import datetime
import json

import pytest

from text_recognizer.core.layout import Layout
from text_recognizer.release.watching import Facts, Limits, corrections_waiting, drift_found, reasons_to_retrain

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
