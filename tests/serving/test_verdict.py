import json

import pytest

from text_recognizer.errors import TextRecognizerError
from text_recognizer.serving.verdict import accepted

DIGEST = "a" * 64
RULE = {"name": "max_cer", "limit": 0.2, "value": 0.1, "passed": True, "reason": ""}
FAILED = {**RULE, "value": 0.5, "passed": False, "reason": "0.5 is above 0.2"}
WHOLE = {"passed": True, "model": DIGEST, "cer": 0.1, "cer_interval": [0.08, 0.12], "rules": [RULE]}


def judge(folder, content):
    path = folder / "verdict.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def test_a_whole_verdict_lets_its_model_pass(tmp_path):
    assert accepted(judge(tmp_path, WHOLE), DIGEST).cer == 0.1


OVERRIDE = {"rules": ["max_cer"], "by": "Ann", "reason": "the fair is on Monday"}


def test_a_rule_that_was_overridden_by_name_and_reason_does_not_stop_the_model(tmp_path):
    verdict = accepted(judge(tmp_path, WHOLE | {"rules": [FAILED], "override": OVERRIDE}), DIGEST)
    assert verdict.override.by == "Ann"


@pytest.mark.parametrize(
    "spoilt", [{"rules": ["other"]}, {"rules": []}, {"by": ""}, {"reason": ""}, {"by": None}, {"reason": None}], ids=str
)
def test_an_override_that_lacks_its_rule_name_or_reason_lets_nothing_pass(tmp_path, spoilt):
    path = judge(tmp_path, WHOLE | {"rules": [FAILED], "override": OVERRIDE | spoilt})
    with pytest.raises(TextRecognizerError):
        accepted(path, DIGEST)


@pytest.mark.parametrize("missing", sorted(WHOLE))
def test_a_verdict_that_lacks_a_key_is_refused_by_that_name(tmp_path, missing):
    path = judge(tmp_path, {key: value for key, value in WHOLE.items() if key != missing})
    with pytest.raises(TextRecognizerError, match=missing):
        accepted(path, DIGEST)


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"passed": "yes"}', "\x00"])
def test_a_file_that_is_no_verdict_is_refused_by_its_name(tmp_path, content):
    with pytest.raises(TextRecognizerError, match=r"verdict\.json.*\n  fix: run `text-recognizer gate`"):
        accepted(judge(tmp_path, content), DIGEST)


def test_a_missing_verdict_is_refused(tmp_path):
    with pytest.raises(TextRecognizerError, match="does not exist"):
        accepted(tmp_path / "verdict.json", DIGEST)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"passed": False, "rules": [RULE, FAILED]}, "max_cer .0.5 is above 0.2"),
        ({"passed": False, "rules": [FAILED], "model": None, "cer": None, "cer_interval": None}, "max_cer"),
        ({"rules": [RULE, FAILED]}, "max_cer"),
        ({"passed": False}, "did not pass"),
        ({"rules": []}, "rules"),
        ({"model": "b" * 64}, "judged another model"),
    ],
    ids=["rejected", "nothing to judge", "passed with a failed rule", "no failed rule", "no rule", "another model"],
)
def test_a_verdict_that_does_not_pass_this_model_is_refused_with_its_reason(tmp_path, change, named):
    with pytest.raises(TextRecognizerError, match=named):
        accepted(judge(tmp_path, WHOLE | change), DIGEST)
