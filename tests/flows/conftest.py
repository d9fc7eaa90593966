"""A small DVC project with real stages, and reports as the stages write them."""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import pytest
import yaml
from tests.local_server import answering

DIGEST = "ab" * 32
PROVENANCE = ("split", "labels", "graph", "weights", "reader", "charset", "normalisation", "code")


class MakeProject(Protocol):
    def __call__(self, stages: Mapping[str, Mapping[str, Any]]) -> Path: ...


@pytest.fixture
def make_project(tmp_path: Path) -> MakeProject:
    """Make a DVC project with these stages of dvc.yaml."""

    def make(stages: Mapping[str, Mapping[str, Any]]) -> Path:
        subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
        settings = tmp_path / ".dvc"
        settings.mkdir()
        (settings / "config").write_text("[core]\n    analytics = false\n    check_update = false\n")
        (tmp_path / "dvc.yaml").write_text(yaml.safe_dump({"stages": dict(stages)}, sort_keys=False))
        return tmp_path

    return make


@pytest.fixture(scope="session")
def score() -> dict[str, Any]:
    """A whole score: CER 10 %, WER 40 %, on 120 pages with 9,000 characters."""
    return {
        "cer": 0.1, "cer_newlines": 0.11, "wer": 0.4, "cer_interval": [0.08, 0.12], "wer_interval": [0.35, 0.45],
        "level": 0.95, "resamples": 100, "pages": 120, "characters": 9000, "words": 1800, "writers": 12,
        "substitutions": 700, "insertions": 100, "deletions": 100, "exact_pages": 3, "length_ratio": 1.0,
        "floors": {"empty": 1.0, "constant": 0.75}, "worst": "a01-000", "by_writer": [], "slices": [],
        "length_outliers": [],
        "calibration": {
            "temperature": 1.0, "exponent": 1.0, "ece_characters": None, "ece_characters_before": None,
            "ece_words": None, "ece_words_before": None, "ece_lines": None, "ece_lines_before": None,
            "at_budget": None, "reliability": [], "review": [],
        },
        "robustness": None, "model": DIGEST, "data": DIGEST, "source": "synthetic",
        "provenance": {
            **dict.fromkeys(PROVENANCE, DIGEST),
            "parameters": {"seed": 1}, "packages": {"numpy": "2"},
        },
        "sha256": DIGEST,
    }  # fmt: skip


@pytest.fixture(scope="session")
def verdict() -> dict[str, Any]:
    """A verdict that passed: CER within 20 %, WER within 70 %."""
    rules = [
        {"name": "cer", "limit": 0.2, "value": 0.1, "passed": True, "reason": "within"},
        {"name": "wer", "limit": 0.7, "value": 0.4, "passed": True, "reason": "within"},
    ]
    return {"passed": True, "rules": rules, "basis": "the limits"}


@pytest.fixture(scope="session")
def rejected_verdict(verdict: dict[str, Any]) -> dict[str, Any]:
    """The same with a WER of 90 %, which is above its limit."""
    failed = verdict["rules"][1] | {"value": 0.9, "passed": False, "reason": "too many words"}
    return verdict | {"passed": False, "rules": [verdict["rules"][0], failed]}


@pytest.fixture(scope="session")
def validation() -> dict[str, Any]:
    """A summary of a validation that failed: one of two expectations, and one of two corrections."""
    row = {"column": "ink", "ids": ["a01-000"], "found": ["0"], "fails_when": "it is blank"}
    return {
        "passed": False, "sha256": DIGEST, "split": "aachen",
        "counts": {"forms": 10, "lines": 20, "writers": 5, "excluded": 0},
        "splits": {"train": {"forms": 7, "lines": 14, "writers": 4}, "test": {"forms": 3, "lines": 6, "writers": 1}},
        "sources": [{"name": "synthetic", "forms": 10, "lines": 20, "writers": 5, "left_out": {}}],
        "drift": "no data have been accepted before",
        "feedback": {"accepted": ["a"], "refused": {"b": ["correction_text: line 1 has no text"]}},
        "expectations": [
            {**row, "suite": "forms", "name": "ink", "passed": False, "failed": 1, "rows": 3,
             "wrong": "it is blank: a01-000 | x", "fix": "scan it again"},
            {**row, "suite": "lines", "name": "box_present", "passed": True, "failed": 0, "rows": 6, "wrong": None,
             "fix": "-"},
        ],
        "forms_at_fault": ["a01-000"],
    }  # fmt: skip


@pytest.fixture
def told():
    """What people are told, by a webhook."""
    from prefect.blocks.notifications import CustomWebhookNotificationBlock

    with answering(lambda _: (200, None)) as (address, came):
        block = CustomWebhookNotificationBlock(name="hook", url=address, json_data={"text": "{{subject}}"})
        block.save("text-recognizer-told", overwrite=True)
        yield came
        CustomWebhookNotificationBlock.delete("text-recognizer-told")
