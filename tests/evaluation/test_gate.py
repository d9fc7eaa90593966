"""The gate: what passes, what each rule rejects, and that anything it cannot use rejects too."""

import json
import math
from pathlib import Path

import pytest
import yaml

from text_recognizer.data.packed import kind_of
from text_recognizer.evaluation.gate import gate, judge, table

DIGEST = "ab" * 32
ROOT = Path(__file__).resolve().parents[2]


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


def failed(verdict):
    return {rule["name"]: rule["reason"] for rule in verdict["rules"] if not rule["passed"]}


def test_a_good_score_passes_every_rule(score, limits):
    verdict = judge(score, limits)
    assert verdict["passed"]
    assert failed(verdict) == {}
    assert {rule["name"] for rule in verdict["rules"]} >= {"cer", "wer", "pages", "interval", "better_than_floor"}


def test_the_verdict_says_what_was_judged_and_that_no_champion_was_looked_at(score, limits):
    verdict = judge(score, limits)
    assert verdict["model"] == DIGEST
    assert (verdict["cer"], verdict["cer_interval"], verdict["pages"]) == (0.1, [0.08, 0.13], 100)
    assert verdict["champion"] is None
    assert "when a model is promoted" in verdict["basis"]


@pytest.mark.parametrize(
    ("change", "rule", "reason"),
    [
        (
            {"cer": 0.21, "cer_interval": [0.18, 0.24]},
            "cer",
            "of the source 'synthetic', 0.2100, is above the limit of 0.2",
        ),
        ({"source": "iam", "cer": 0.11}, "cer", "of the source 'iam', 0.1100, is above the limit of 0.1"),
        ({"source": "archive"}, "cer", "gate.max_cer has no limit for the source 'archive', and no default"),
        ({"source": None}, "cer", "source is missing, not the name of a source: pack the pages anew"),
        ({"source": ["iam"]}, "cer", "source is a list, not the name of a source"),
        ({"source": ""}, "cer", "source is '', not the name of a source"),
        ({"wer": 0.51}, "wer", "the WER, 0.5100, is above the limit of 0.5"),
        ({"pages": 49}, "pages", "the number of test pages, 49, is below the limit of 50"),
        (
            {"cer_interval": [0.05, 0.16]},
            "interval",
            "the width of the CER interval, 0.1100, is above the limit of 0.1",
        ),
        ({"floors": {"empty": 1.0, "constant": 0.1}}, "better_than_floor", "the CER, 0.1000, is not below 0.1000"),
        ({"floors": {"empty": 0.09, "constant": 0.7}}, "better_than_floor", "the CER, 0.1000, is not below 0.0900"),
        ({"writers": 1}, "interval", "drawn over 1 writer"),
        (
            {"slices": [{"name": "digits", "pages": 9, "cer": 0.2}, {"name": "3 lines", "pages": 10, "cer": 0.41}]},
            "worst_slice",
            "the worst slice, '3 lines' (10 pages), has a CER of 0.4100, above 0.4",
        ),
        (
            {"slices": [{"name": "digits", "pages": 20, "cer": 0.31}]},
            "slice digits",
            "the CER of the slice 'digits', 0.3100, is above the limit of 0.3",
        ),
        ({"slices": [{"name": "3 lines", "pages": 60, "cer": 0.1}]}, "slice digits", "the score has no slice 'digits'"),
        ({"slices": [{"name": "digits", "pages": 9, "cer": 0.1}]}, "worst_slice", "no slice has 10 pages"),
        ({"calibration": {"ece_words": 0.11}}, "calibration", "calibration error, 0.1100, is above the limit of 0.1"),
        ({"calibration": {"ece_words": None}}, "calibration", "ece_words is missing, not a number"),
        (
            {"robustness": {"cer": {"inverted": 0.31}, "blank_characters": 0}},
            "disturbed inverted",
            "the CER of pages inverted, 0.3100, is above the limit of 0.3",
        ),
        ({"robustness": {"cer": {}, "blank_characters": 0}}, "disturbed inverted", "the score has no inverted"),
        ({"robustness": {"cer": {"inverted": 0.1}, "blank_characters": 1}}, "blank", "is above the limit of 0"),
        ({"model": "latest"}, "model", "model is 'latest', not a sha256"),
    ],
)
def test_each_rule_rejects_alone_and_says_why(score, limits, change, rule, reason):
    verdict = judge(score | change, limits)
    assert not verdict["passed"]
    assert list(failed(verdict)) == [rule]
    assert reason in failed(verdict)[rule]


@pytest.mark.parametrize(
    "change", [{"cer": 0.2, "cer_interval": [0.18, 0.24]}, {"wer": 0.5}, {"pages": 50}, {"cer_interval": [0.05, 0.125]}]
)
def test_a_figure_on_its_limit_passes(score, limits, change):
    assert judge(score | change, limits)["passed"]


@pytest.mark.parametrize(("source", "passed"), [("iam", False), ("synthetic", True), ("archive", True), (None, False)])
def test_a_source_without_a_limit_of_its_own_has_the_default_and_a_score_without_a_source_none(
    score, limits, source, passed
):
    by_source = limits.model_copy(update={"max_cer": {"iam": 0.05, "default": 0.15}})
    assert judge(score | {"source": source}, by_source)["passed"] is passed


def test_where_the_limit_is_the_same_for_all_the_source_does_not_matter(score, limits):
    del score["source"]
    general = limits.model_copy(update={"max_cer": {"default": 0.15}})
    assert judge(score, general)["passed"]
    (rule,) = (
        rule
        for rule in judge(score | {"cer": 0.151, "cer_interval": [0.1, 0.2]}, general)["rules"]
        if not rule["passed"]
    )
    assert rule["reason"] == "the CER, 0.1510, is above the limit of 0.15"


def test_the_sample_and_the_recipe_for_iam_find_each_its_own_limit(score, shipped):
    # Given a score between the two limits, on the pages of either
    recipe = yaml.safe_load((ROOT / "recipes/cpu.yaml").read_text(encoding="utf-8"))
    kinds = kind_of(shipped.data.source), kind_of(recipe["data"]["source"])
    assert "max_cer" not in recipe["gate"]
    # When the same rules judge both
    found = [
        next(
            rule
            for rule in judge(score | {"cer": 0.15, "source": kind}, shipped.gate)["rules"]
            if rule["name"] == "cer"
        )
        for kind in kinds
    ]
    # Then it is good enough for the sample alone
    assert [(rule["limit"], rule["passed"]) for rule in found] == [(0.2, True), (0.12, False)]


UNUSABLE = [None, "0.1", True, [0.1], {"value": 0.1}, math.nan, math.inf, -math.inf, -0.1, 10**400]


@pytest.mark.parametrize("value", UNUSABLE, ids=lambda value: str(value)[:12])
@pytest.mark.parametrize("name", ["cer", "wer", "pages", "writers"])
def test_a_figure_that_is_no_figure_rejects(score, limits, name, value):
    verdict = judge(score | {name: value}, limits)
    assert not verdict["passed"]
    assert any(reason.startswith(name) for reason in failed(verdict).values())
    json.dumps(verdict, allow_nan=False)


@pytest.mark.parametrize("value", UNUSABLE, ids=lambda value: str(value)[:12])
@pytest.mark.parametrize("name", ["empty", "constant"])
def test_a_floor_that_is_no_figure_rejects(score, limits, name, value):
    verdict = judge(score | {"floors": score["floors"] | {name: value}}, limits)
    assert list(failed(verdict)) == ["better_than_floor"]


@pytest.mark.parametrize(
    "name",
    ["cer", "wer", "pages", "writers", "cer_interval", "floors", "model", "slices", "calibration", "robustness",
     "source"],
)  # fmt: skip
def test_a_missing_figure_rejects_and_is_named(score, limits, name):
    del score[name]
    verdict = judge(score, limits)
    assert not verdict["passed"]
    assert any(name in reason for reason in failed(verdict).values())


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
def test_an_interval_that_does_not_hold_the_cer_rejects(score, limits, interval):
    verdict = judge(score | {"cer_interval": interval}, limits)
    assert list(failed(verdict)) == ["interval"]
    assert verdict["cer_interval"] is None


def test_pages_that_are_no_whole_number_reject(score, limits):
    assert list(failed(judge(score | {"pages": 100.5}, limits))) == ["pages"]


@pytest.mark.parametrize("score", [None, [], "0.1", 0.1, {}], ids=str)
def test_what_is_no_score_rejects(score, limits):
    verdict = judge(score, limits)
    assert not verdict["passed"]
    assert failed(verdict)


def test_the_verdict_of_a_score_file_is_written_and_returned(score, limits, tmp_path):
    (tmp_path / "score.json").write_text(json.dumps(score))
    verdict = gate(tmp_path / "score.json", limits, tmp_path / "verdict.json")
    assert verdict["passed"]
    assert json.loads((tmp_path / "verdict.json").read_text()) == verdict


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
def test_a_broken_score_file_is_a_written_rejection_with_a_reason(limits, tmp_path, content):
    (tmp_path / "score.json").write_bytes(content)
    verdict = gate(tmp_path / "score.json", limits, tmp_path / "verdict.json")
    assert not verdict["passed"]
    assert all(failed(verdict).values())
    assert json.loads((tmp_path / "verdict.json").read_text()) == verdict


def test_a_nan_in_a_score_file_is_named_as_the_reason(score, limits, tmp_path):
    (tmp_path / "score.json").write_text(json.dumps(score | {"wer": math.nan}))
    verdict = gate(tmp_path / "score.json", limits, tmp_path / "verdict.json")
    assert failed(verdict) == {"wer": "wer is not a finite number"}


def test_a_missing_score_file_is_a_written_rejection_that_says_what_to_run(limits, tmp_path):
    verdict = gate(tmp_path / "score.json", limits, tmp_path / "verdict.json")
    assert not verdict["passed"]
    assert "text-recognizer evaluate" in failed(verdict)["score"]
    assert (tmp_path / "verdict.json").exists()


def test_an_old_verdict_does_not_survive_a_missing_score(limits, tmp_path):
    (tmp_path / "verdict.json").write_text('{"passed": true}')
    gate(tmp_path / "score.json", limits, tmp_path / "verdict.json")
    assert json.loads((tmp_path / "verdict.json").read_text())["passed"] is False


def test_the_table_names_the_outcome_and_every_rule(score, limits):
    text = table(judge(score | {"wer": 0.9}, limits))
    assert text.startswith("gate: rejected by 1 of 11 rules")
    assert "FAILED  wer" in text
    assert "ok      cer " in text
    assert table(judge(score, limits)).startswith("gate: passed")
