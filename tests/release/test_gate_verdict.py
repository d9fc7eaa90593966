"""The gate: a good score passes, each rule rejects alone, and an unusable figure is a rejection that names it."""

import json
import math
from pathlib import Path

import pytest
import yaml

from text_recognizer.core.params import GateSection
from text_recognizer.core.schemas import Verdict
from text_recognizer.corpora.packed_pages import source_kind
from text_recognizer.release import gate_verdict
from text_recognizer.release.gate_verdict import gate, table
from text_recognizer.utils.files import json_digest

DIGEST = "ab" * 32
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def limits():
    return GateSection(max_cer={"synthetic": 0.2, "iam": 0.1}, max_wer=0.5, min_pages=50, max_interval=0.1,
                       max_slice_cer=0.4, min_slice_pages=10, slices={"digits": 0.3}, max_calibration_error=0.1,
                       max_perturbed={"inverted": 0.3}, max_blank=0)  # fmt: skip


@pytest.fixture
def score():
    return {
        "cer": 0.1,
        "wer": 0.3,
        "cer_interval": [0.08, 0.13],
        "pages": 100,
        "writers": 25,
        "floors": {"empty": 1.0, "constant": 0.75},
        "slices": [
            {"name": "3 lines", "pages": 60, "cer": 0.12},
            {"name": "digits", "pages": 20, "cer": 0.25},
            {"name": "10 lines or more", "pages": 2, "cer": 0.9},
            {"name": "capitals", "by": "character", "pages": 60, "cer": 0.7},
        ],
        "calibration": {"ece_words": 0.05},
        "robustness": {"cer": {"inverted": 0.12}, "blank_characters": 0},
        "model": DIGEST,
        "data": "cd" * 32,
        "source": "synthetic",
    }


def signed(score):
    """Return the score with its own digest, as `evaluate` writes it."""
    return score | {"sha256": json_digest(score)}


def judge(score, limits):
    """Judge a score that has its own digest; something else as it is."""
    return gate_verdict.judge(signed(score) if isinstance(score, dict) else score, limits)


def failed(verdict):
    return {rule.name: rule for rule in verdict.failed}


def failed_names(verdict):
    return [rule.name for rule in verdict.failed]


def test_a_good_score_passes_every_rule(score, limits):
    verdict = judge(score, limits)
    assert verdict.passed
    assert failed_names(verdict) == []
    assert [rule.name for rule in verdict.rules] == [
        "cer", "wer", "pages", "interval", "better_than_floor", "model", "unchanged", "worst_slice", "slice digits",
        "calibration", "perturbed inverted", "blank",
    ]  # fmt: skip


def test_the_verdict_has_the_figures_that_it_judged_and_names_no_champion(score, limits):
    verdict = judge(score, limits)
    assert (verdict.model, verdict.data) == (DIGEST, "cd" * 32)
    assert (verdict.cer, verdict.cer_interval, verdict.pages) == (0.1, (0.08, 0.13), 100)
    assert (verdict.champion, verdict.override) == (None, None)


SLICE = {"name": "3 lines", "pages": 60, "cer": 0.12}
DIGITS = {"name": "digits", "pages": 20, "cer": 0.25}


@pytest.mark.parametrize(
    ("change", "rule", "limit", "value"),
    [
        ({"cer": 0.21, "cer_interval": [0.18, 0.24]}, "cer", 0.2, 0.21),
        ({"source": "iam", "cer": 0.11}, "cer", 0.1, 0.11),
        ({"wer": 0.51}, "wer", 0.5, 0.51),
        ({"pages": 49}, "pages", 50, 49),
        ({"cer_interval": [0.05, 0.16]}, "interval", 0.1, 0.11),
        ({"floors": {"empty": 1.0, "constant": 0.1}}, "better_than_floor", 0.1, 0.1),
        ({"floors": {"empty": 0.09, "constant": 0.7}}, "better_than_floor", 0.09, 0.1),
        ({"slices": [DIGITS, SLICE | {"pages": 10, "cer": 0.41}]}, "worst_slice", 0.4, 0.41),
        ({"slices": [DIGITS | {"cer": 0.31}]}, "slice digits", 0.3, 0.31),
        ({"calibration": {"ece_words": 0.11}}, "calibration", 0.1, 0.11),
        ({"robustness": {"cer": {"inverted": 0.31}, "blank_characters": 0}}, "perturbed inverted", 0.3, 0.31),
        ({"robustness": {"cer": {"inverted": 0.1}, "blank_characters": 1}}, "blank", 0, 1),
    ],
)
def test_each_rule_rejects_alone_and_has_the_limit_and_the_value(score, limits, change, rule, limit, value):
    verdict = judge(score | change, limits)
    assert not verdict.passed
    assert failed_names(verdict) == [rule]
    result = failed(verdict)[rule]
    assert (result.limit, result.value) == (limit, pytest.approx(value))
    assert str(limit) in result.reason


@pytest.mark.parametrize(
    ("change", "rule", "named"),
    [
        ({"source": "archive"}, "cer", "'archive'"),
        ({"source": None}, "cer", "source is missing"),
        ({"source": ["iam"]}, "cer", "source is a list"),
        ({"source": ""}, "cer", "source is ''"),
        ({"writers": 1}, "interval", "1 writers"),
        ({"slices": [SLICE]}, "slice digits", "'digits'"),
        ({"slices": [DIGITS | {"pages": 9}]}, "worst_slice", "10 pages"),
        ({"calibration": {"ece_words": None}}, "calibration", "ece_words is missing"),
        ({"robustness": {"cer": {}, "blank_characters": 0}}, "perturbed inverted", "inverted"),
        ({"model": "latest"}, "model", "'latest'"),
    ],
)
def test_a_figure_that_cannot_be_judged_fails_its_rule_alone_and_is_named(score, limits, change, rule, named):
    verdict = judge(score | change, limits)
    assert not verdict.passed
    assert failed_names(verdict) == [rule]
    assert named in failed(verdict)[rule].reason


@pytest.mark.parametrize("stated", [None, "ef" * 32, "no digest"], ids=str)
def test_a_score_whose_fields_do_not_give_its_own_digest_is_rejected_for_that_alone(score, limits, stated):
    assert failed_names(gate_verdict.judge(score | {"sha256": stated}, limits)) == ["unchanged"]


def test_a_figure_that_was_changed_by_hand_is_rejected(score, limits):
    assert failed_names(gate_verdict.judge(signed(score) | {"wer": 0.2}, limits)) == ["unchanged"]


@pytest.mark.parametrize(
    ("pages", "words", "other"), [(49, "below the minimum of 50", "at least"), (50, "at least 50", "minimum")]
)
def test_the_reason_of_a_minimum_does_not_read_like_that_of_a_maximum(score, limits, pages, words, other):
    (rule,) = (rule for rule in judge(score | {"pages": pages}, limits).rules if rule.name == "pages")
    assert rule.passed is (pages >= 50)
    assert words in rule.reason
    assert other not in rule.reason
    assert "limit" not in rule.reason


@pytest.mark.parametrize(
    "change", [{"cer": 0.2, "cer_interval": [0.18, 0.24]}, {"wer": 0.5}, {"pages": 50}, {"cer_interval": [0.05, 0.125]}]
)
def test_a_figure_on_its_limit_passes(score, limits, change):
    assert judge(score | change, limits).passed


@pytest.mark.parametrize(("source", "passed"), [("iam", False), ("synthetic", True), ("archive", True), (None, False)])
def test_a_source_without_its_own_limit_has_the_default_and_a_score_without_a_source_fails(
    score, limits, source, passed
):
    by_source = limits.model_copy(update={"max_cer": {"iam": 0.05, "default": 0.15}})
    assert judge(score | {"source": source}, by_source).passed is passed


def test_if_there_is_only_a_default_the_source_does_not_matter(score, limits):
    del score["source"]
    general = limits.model_copy(update={"max_cer": {"default": 0.15}})
    assert judge(score, general).passed
    verdict = judge(score | {"cer": 0.151, "cer_interval": [0.1, 0.2]}, general)
    assert failed_names(verdict) == ["cer"]
    assert failed(verdict)["cer"].limit == 0.15


def test_the_sample_and_the_recipe_for_iam_have_different_limits(score, shipped):
    # Given a score between the two limits, on the pages of either
    recipe = yaml.safe_load((ROOT / "recipes/cpu.yaml").read_text(encoding="utf-8"))
    kinds = (source_kind(address) for address in (shipped.data.addresses, recipe["data"]["sources"][0]["address"]))
    assert "max_cer" not in recipe["gate"]
    # When the same rules judge both
    changed = [score | {"cer": 0.15, "source": kind} for kind in kinds]
    found = [next(rule for rule in judge(one, shipped.gate).rules if rule.name == "cer") for one in changed]
    # Then it is good enough for the sample alone
    assert [(rule.limit, rule.passed) for rule in found] == [(0.2, True), (0.12, False)]


UNUSABLE = [None, "0.1", True, [0.1], {"value": 0.1}, math.nan, math.inf, -math.inf, -0.1, 10**400]


@pytest.mark.parametrize("value", UNUSABLE, ids=lambda value: str(value)[:12])
@pytest.mark.parametrize("name", ["cer", "wer", "pages", "writers"])
def test_an_unusable_figure_rejects_and_is_named(score, limits, name, value):
    verdict = judge(score | {name: value}, limits)
    assert not verdict.passed
    assert any(rule.reason.startswith(name) for rule in verdict.failed)
    json.dumps(verdict.model_dump(mode="json"), allow_nan=False)


@pytest.mark.parametrize("value", UNUSABLE, ids=lambda value: str(value)[:12])
@pytest.mark.parametrize("name", ["empty", "constant"])
def test_an_unusable_baseline_rejects(score, limits, name, value):
    verdict = judge(score | {"floors": score["floors"] | {name: value}}, limits)
    assert failed_names(verdict) == ["better_than_floor"]


@pytest.mark.parametrize(
    "name",
    ["cer", "wer", "pages", "writers", "cer_interval", "floors", "model", "slices", "calibration", "robustness",
     "source"],
)  # fmt: skip
def test_a_missing_figure_rejects_and_is_named(score, limits, name):
    del score[name]
    verdict = judge(score, limits)
    assert not verdict.passed
    assert any(name in rule.reason for rule in verdict.failed)


@pytest.mark.parametrize(
    "interval",
    [
        [0.11, 0.13],
        [0.05, 0.09],
        [0.13, 0.08],
        [0.08],
        [0.08, 0.1, 0.13],
        [0.08, None],
        [math.nan, 0.13],
        "0.08-0.13",
        {},
    ],
    ids=str,
)
def test_an_interval_that_does_not_contain_the_cer_rejects(score, limits, interval):
    verdict = judge(score | {"cer_interval": interval}, limits)
    assert failed_names(verdict) == ["interval"]
    assert verdict.cer_interval is None


def test_a_number_of_pages_that_is_not_an_integer_rejects(score, limits):
    assert failed_names(judge(score | {"pages": 100.5}, limits)) == ["pages"]


@pytest.mark.parametrize("score", [None, [], "0.1", 0.1, {}], ids=str)
def test_anything_but_a_score_rejects(score, limits):
    verdict = judge(score, limits)
    assert not verdict.passed
    assert verdict.failed


def test_the_verdict_of_a_score_file_is_written_and_returned(score, limits, tmp_path):
    (tmp_path / "score.json").write_text(json.dumps(signed(score)))
    verdict = gate(tmp_path / "score.json", limits, tmp_path / "verdict.json")
    assert verdict.passed
    assert Verdict.model_validate_json((tmp_path / "verdict.json").read_text()) == verdict


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[1, 2]",
        b'{"cer": NaN}',
        b'{"cer": Infinity}',
        b"[" * 100_000,
        b'{"cer": ' + b"9" * 9000,
    ],
    ids=lambda content: repr(content[:12]),
)
def test_a_damaged_score_file_is_a_rejection_with_a_reason_and_is_written(limits, tmp_path, content):
    (tmp_path / "score.json").write_bytes(content)
    verdict = gate(tmp_path / "score.json", limits, tmp_path / "verdict.json")
    assert not verdict.passed
    assert verdict.failed
    assert all(rule.reason for rule in verdict.failed)
    assert Verdict.model_validate_json((tmp_path / "verdict.json").read_text()) == verdict


def test_a_nan_in_a_score_file_is_named(score, limits, tmp_path):
    (tmp_path / "score.json").write_text(json.dumps(signed(score | {"wer": math.nan})))
    verdict = gate(tmp_path / "score.json", limits, tmp_path / "verdict.json")
    assert failed_names(verdict) == ["wer"]
    assert failed(verdict)["wer"].reason.startswith("wer ")


def test_a_missing_score_file_is_a_rejection_that_names_the_command_to_run(limits, tmp_path):
    verdict = gate(tmp_path / "score.json", limits, tmp_path / "verdict.json")
    assert not verdict.passed
    assert "text-recognizer evaluate" in failed(verdict)["score"].reason
    assert (tmp_path / "verdict.json").exists()


def test_a_missing_score_replaces_an_old_verdict(limits, tmp_path):
    (tmp_path / "verdict.json").write_text('{"passed": true}')
    gate(tmp_path / "score.json", limits, tmp_path / "verdict.json")
    assert json.loads((tmp_path / "verdict.json").read_text())["passed"] is False


def test_the_table_has_the_outcome_and_every_rule(score, limits):
    text = table(judge(score | {"wer": 0.9}, limits))
    assert text.startswith("gate: rejected by 1 of 12 rules")
    assert "FAILED  wer" in text
    assert "ok      cer " in text
    assert table(judge(score, limits)).startswith("gate: passed")
