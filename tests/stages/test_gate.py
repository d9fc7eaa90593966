"""The gate stage reads the score and writes the verdict at their places in the project."""

import json

from text_recognizer.core.layout import Layout
from text_recognizer.core.schemas import Verdict
from text_recognizer.stages import gate


def test_without_a_score_the_verdict_is_a_rejection_and_is_written(params, tmp_path):
    layout = Layout(tmp_path)
    verdict = gate.run(params, layout)
    assert not verdict.passed
    assert str(layout.score) in verdict.failed[0].reason
    assert Verdict.model_validate_json(layout.verdict.read_text(encoding="utf-8")) == verdict


def test_a_damaged_score_is_rejected_by_every_rule_of_the_parameters(params, tmp_path):
    layout = Layout(tmp_path)
    layout.score.parent.mkdir()
    layout.score.write_text("{}", encoding="utf-8")
    names = {rule.name for rule in gate.run(params, layout).failed}
    assert names >= {"cer", "wer", "pages", "blank"} | {f"perturbed {name}" for name in params.gate.max_perturbed}


def test_the_figures_of_the_verdict_are_few_numbers_without_digests(params, tmp_path):
    layout = Layout(tmp_path)
    layout.score.parent.mkdir()
    layout.score.write_text(json.dumps({"cer": 0.1, "wer": 0.4, "model": "ab" * 32}), encoding="utf-8")
    verdict = gate.run(params, layout)
    figures = json.loads(layout.metrics.read_text(encoding="utf-8"))
    assert {name: figures[name] for name in ("cer", "wer", "passed")} == {"cer": 0.1, "wer": 0.4, "passed": False}
    assert figures["failed"].split(", ") == [rule.name for rule in verdict.failed]
    assert "ab" * 32 not in figures.values()
