"""A verdict file lets a model be served only if it is whole, passed, and judged this very model."""

import json

import pytest

from text_recognizer.release.verdict_file import NotReleasedError, RejectedModelError, require_passed

DIGEST = "a" * 64
RULE = {"name": "max_cer", "limit": 0.2, "value": 0.1, "passed": True, "reason": ""}
FAILED = {**RULE, "value": 0.5, "passed": False, "reason": "0.5 is above 0.2"}
WHOLE = {"passed": True, "model": DIGEST, "cer": 0.1, "cer_interval": [0.08, 0.12], "basis": "limits",
         "rules": [RULE]}  # fmt: skip


def write(folder, content):
    path = folder / "verdict.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_a_whole_verdict_passes_its_model(tmp_path):
    assert require_passed(write(tmp_path, WHOLE), DIGEST).cer == 0.1


OVERRIDE = {"rules": ["max_cer"], "by": "Ann", "reason": "the fair is on Monday"}


def test_an_overridden_rule_does_not_stop_the_model(tmp_path):
    verdict = require_passed(write(tmp_path, WHOLE | {"rules": [FAILED], "override": OVERRIDE}), DIGEST)
    assert verdict.override.by == "Ann"


@pytest.mark.parametrize(
    "damaged",
    [{"rules": ["other"]}, {"rules": []}, {"by": ""}, {"reason": ""}, {"by": None}, {"reason": None}],
    ids=str,
)
def test_an_override_without_a_rule_a_name_or_a_reason_passes_no_model(tmp_path, damaged):
    path = write(tmp_path, WHOLE | {"rules": [FAILED], "override": OVERRIDE | damaged})
    with pytest.raises(NotReleasedError):
        require_passed(path, DIGEST)


@pytest.mark.parametrize("missing", sorted(WHOLE))
def test_a_verdict_that_lacks_a_key_is_refused_and_the_key_is_named(tmp_path, missing):
    path = write(tmp_path, {key: value for key, value in WHOLE.items() if key != missing})
    with pytest.raises(NotReleasedError) as caught:
        require_passed(path, DIGEST)
    assert missing in caught.value.what


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "null", '{"passed": "yes"}', "\x00", "[" * 100_000,
     json.dumps(WHOLE | {"passed": "yes"}), json.dumps(WHOLE | {"passed": 1}), json.dumps(WHOLE | {"cer": "0.1"}),
     json.dumps(WHOLE | {"cer": float("nan")}), json.dumps(WHOLE | {"mood": "good"})],
    ids=lambda content: content[:30],
)  # fmt: skip
def test_a_file_that_is_not_a_verdict_is_refused_and_named(tmp_path, content):
    with pytest.raises(NotReleasedError) as caught:
        require_passed(write(tmp_path, content), DIGEST)
    assert "verdict.json" in caught.value.what


def test_a_missing_verdict_is_refused_and_named(tmp_path):
    with pytest.raises(NotReleasedError) as caught:
        require_passed(tmp_path / "verdict.json", DIGEST)
    assert "verdict.json" in caught.value.what


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"passed": False, "rules": [RULE, FAILED]}, "max_cer (0.5 is above 0.2)"),
        ({"passed": False, "rules": [FAILED], "model": None, "cer": None, "cer_interval": None}, "max_cer"),
        ({"rules": [RULE, FAILED]}, "max_cer"),
        ({"passed": False}, "verdict.json"),
        ({"rules": []}, "rules"),
        ({"model": "b" * 64}, "bbbbbbbbbbbb"),
    ],
    ids=["rejected", "nothing to judge", "passed with a failed rule", "no failed rule", "no rule", "another model"],
)
def test_a_verdict_that_does_not_pass_this_model_is_refused_with_its_reason(tmp_path, change, named):
    with pytest.raises(NotReleasedError) as caught:
        require_passed(write(tmp_path, WHOLE | change), DIGEST)
    assert named in caught.value.what


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"passed": False, "rules": [FAILED]}, RejectedModelError),
        ({"passed": False, "rules": [FAILED], "model": None, "cer": None, "cer_interval": None}, RejectedModelError),
        ({"passed": False, "rules": [FAILED], "model": "b" * 64}, NotReleasedError),
        ({"rules": [RULE, FAILED]}, NotReleasedError),
    ],
    ids=["rejected", "nothing to judge", "another model", "passed with a failed rule"],
)
def test_only_a_verdict_that_rejects_this_model_is_a_rejection(tmp_path, change, error):
    with pytest.raises(NotReleasedError) as caught:
        require_passed(write(tmp_path, WHOLE | change), DIGEST)
    assert caught.type is error
