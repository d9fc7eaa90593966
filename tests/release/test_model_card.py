"""The model card has the figures of the score, the weaknesses, the verdict, and how to verify them."""

import json

import pytest

from text_recognizer.core.errors import DataError
from text_recognizer.core.schemas import ArchiveScore, Override, RuleResult, Score, Verdict
from text_recognizer.inference.model_info import INFO_FILE, read_info
from text_recognizer.release.model_card import card, write_card

pytestmark = pytest.mark.slow

DIGEST = "cd" * 32
SLICE = {"by": "lines", "name": "3 lines", "pages": 9, "writers": 4, "characters": 900, "cer": 0.15, "interval": None}
POINT = {"share": 0.1, "words": 18, "found": 0.45, "threshold": 0.585, "chance": 0.1}
SUMMARY = {
    "cer": 0.1, "cer_newlines": 0.11, "wer": 0.4, "cer_interval": [0.08, 0.12], "wer_interval": [0.35, 0.45],
    "level": 0.95, "resamples": 100, "pages": 12, "characters": 900, "words": 180, "writers": 4, "substitutions": 70,
    "insertions": 10, "deletions": 10, "exact_pages": 0, "length_ratio": 1.0,
    "floors": {"empty": 1.0, "constant": 0.75}, "worst": "a01-000", "by_writer": [], "slices": [SLICE],
    "length_outliers": [{"id": "b02-000", "kind": "loop", "length_ratio": 3.0, "cer": 2.0}],
    "calibration": {
        "temperature": 2.5, "exponent": 0.5, "ece_characters": None, "ece_characters_before": None, "ece_words": 0.02,
        "ece_words_before": 0.08, "ece_lines": None, "ece_lines_before": None, "at_budget": POINT, "reliability": [],
        "review": [POINT],
    },
    "source": "archive",
}  # fmt: skip
PROVENANCE = ("split", "labels", "graph", "weights", "reader", "charset", "normalisation", "code")
ROBUSTNESS = {
    "pages": 2, "cer": {"rotated 2": 0.2}, "blank_characters": 3,
    "perturbed": [{"name": "rotated", "strength": 2.0, "unit": "degrees", "cer": 0.2}],
}  # fmt: skip


@pytest.fixture(scope="module")
def info(exported):
    return read_info(exported / INFO_FILE)


@pytest.fixture(scope="module")
def score(info):
    rest = {"robustness": ROBUSTNESS, "model": info.digest, "data": DIGEST, "sha256": "ef" * 32}
    provenance = dict.fromkeys(PROVENANCE, DIGEST) | {"parameters": {}, "packages": {}}
    return Score.model_validate(SUMMARY | rest | {"provenance": provenance})


def section(text, heading):
    """Return the text of one section of a card."""
    assert text.count(f"## {heading}\n") == 1
    return text.partition(f"## {heading}\n")[2].partition("\n## ")[0]


def test_each_section_has_the_figures_of_the_score(info, score):
    text = card(info, score, None, "printed words")
    assert info.digest in text.partition("## ")[0]
    assert "printed words" in text.partition("## ")[0]
    figures = {
        "Accuracy": ("10.00%", "8.00% to 12.00%", "40.00%", "75.00%", "12 test pages"),
        "Known weaknesses": ("3 lines", "15.00%", "`a01-000`"),
        "Length outliers": ("`b02-000` (loop)", "1 of 12"),
        "Calibration": ("2.5", "0.5", "2.00%", "8.00%", "0.585", "45%"),
        "Robustness": ("rotated 2 degrees", "20.00%", "3 characters"),
        "Licence": ("non-commercial",),
        "How to verify": ("text-recognizer verify", score.model, score.data, score.sha256),
    }
    missing = [(name, one) for name, all_of in figures.items() for one in all_of if one not in section(text, name)]
    assert missing == []


def test_the_verdict_and_its_override_are_shown(info, score):
    rule = RuleResult(name="cer", passed=False, reason="too high")
    override = Override(rules=("cer",), by="Ann", reason="a trial")
    verdict = Verdict(passed=True, rules=(rule,), basis="the limits", override=override)
    shown = section(card(info, score, verdict), "Verdict")
    assert [
        one for one in ("| cer | **failed** | too high |", "the limits", "Ann", "a trial") if one not in shown
    ] == []


def test_a_score_of_an_archive_names_its_split_and_has_no_robustness(info):
    rest = {"model": info.digest, "split": "aachen/test", "seconds": 1.0, "skipped": []}
    text = card(info, ArchiveScore.model_validate(SUMMARY | rest), None)
    shown = section(text, "How to verify")
    assert "text-recognizer score --archive ZIP --split aachen/test" in shown
    assert "text-recognizer verify" not in shown  # it takes the score of the pipeline alone
    assert "## Robustness" not in text


def test_the_card_is_written_into_the_model_folder(exported, score, tmp_path):
    model = tmp_path / "reader"
    model.mkdir()
    (model / INFO_FILE).write_bytes((exported / INFO_FILE).read_bytes())
    (tmp_path / "score.json").write_text(score.model_dump_json())
    written = write_card(model, tmp_path / "score.json", tmp_path / "verdict.json")
    assert written == model / "MODEL_CARD.md"
    assert "## Accuracy" in written.read_text(encoding="utf-8")


@pytest.mark.parametrize("change", [{"model": DIGEST}, {"cer": None}, {"slices": [{}]}], ids=str)
def test_a_score_of_another_model_or_a_damaged_score_is_refused_and_named(exported, score, change, tmp_path):
    (tmp_path / "score.json").write_text(json.dumps(json.loads(score.model_dump_json()) | change))
    with pytest.raises(DataError) as caught:
        write_card(exported, tmp_path / "score.json")
    assert "score.json" in caught.value.what
    assert not (exported / "MODEL_CARD.md").exists()
