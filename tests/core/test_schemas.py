"""The records of a score: their JSON, and what they refuse."""

import json

import pytest
from pydantic import ValidationError

from text_recognizer.core.geometry import Box
from text_recognizer.core.schemas import Line, Page, Score, Word

DIGEST = "0" * 64
DIGESTS = ("split", "labels", "graph", "weights", "reader", "charset", "normalisation", "code")
PROVENANCE = dict.fromkeys(DIGESTS, DIGEST)
CALIBRATION = dict.fromkeys(("ece_characters", "ece_words", "ece_lines"), 0.1)
CALIBRATION |= dict.fromkeys(("ece_characters_before", "ece_words_before", "ece_lines_before", "at_budget"))
SCORE = {
    "cer": 0.1,
    "cer_newlines": 0.2,
    "wer": 0.3,
    "cer_interval": [0.05, 0.15],
    "wer_interval": [0.2, 0.4],
    "level": 0.95,
    "resamples": 100,
    "pages": 2,
    "characters": 20,
    "words": 4,
    "writers": 1,
    "substitutions": 1,
    "insertions": 1,
    "deletions": 0,
    "exact_pages": 1,
    "length_ratio": 1.05,
    "floors": {"empty": 1.0, "constant": 0.7},
    "worst": "a",
    "by_writer": [{"writer": "w", "pages": 2, "edits": 2, "characters": 20, "word_edits": 1, "words": 4}],
    "slices": [
        {"by": "lines", "name": "1 line", "pages": 2, "writers": 1, "characters": 20, "cer": 0.1, "interval": None}
    ],
    "length_outliers": [{"id": "a", "kind": "loop", "length_ratio": 2.0, "cer": 1.0}],
    "calibration": {**CALIBRATION, "temperature": 1.5, "exponent": 0.5, "reliability": [], "review": []},
    "robustness": {
        "pages": 1,
        "perturbed": [{"name": "rotated", "strength": 2.0, "unit": "degrees", "cer": 0.2}],
        "cer": {"rotated 2": 0.2},
        "blank_characters": 0,
    },
    "model": DIGEST,
    "data": DIGEST,
    "source": "iam",
    "provenance": {**PROVENANCE, "parameters": {"seed": 1, "level": 0.95}, "packages": {"numpy": "2.0"}},
    "sha256": DIGEST,
}


def test_a_score_is_the_same_after_a_round_trip_through_json():
    assert Score.model_validate_json(json.dumps(SCORE)).model_dump(mode="json") == SCORE


@pytest.mark.parametrize("name", Score.model_fields)
def test_a_score_without_one_of_its_fields_is_refused_by_name(name):
    with pytest.raises(ValidationError) as caught:
        Score.model_validate_json(json.dumps({key: value for key, value in SCORE.items() if key != name}))
    assert [error["loc"] for error in caught.value.errors()] == [(name,)]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("cer", "0.1"),
        ("cer", True),
        ("cer", None),
        ("cer", -0.1),
        ("cer", float("nan")),
        ("cer", float("inf")),
        ("pages", 1.5),
        ("pages", -1),
        ("pages", 2**60),
        ("model", "0" * 63),
        ("cer_interval", [0.1]),
        ("slices", {}),
        ("runaways", []),
    ],
)
def test_a_value_of_another_type_or_out_of_range_is_refused_by_name(name, value):
    with pytest.raises(ValidationError) as caught:
        Score.model_validate_json(json.dumps(SCORE | {name: value}))
    assert {error["loc"][0] for error in caught.value.errors()} == {name}


def test_a_record_cannot_be_changed():
    with pytest.raises(ValidationError):
        Score.model_validate_json(json.dumps(SCORE)).cer = 0.0


def test_a_box_is_a_list_of_four_numbers_in_json():
    line = Line(
        text="to", confidence=0.5, box=Box(1, 2, 3, 4), words=(Word(text="to", confidence=0.5, box=Box(1, 2, 3, 4)),)
    )
    page = Page(text="to", confidence=0.5, lines=(line,))
    written = page.model_dump(mode="json")
    assert written["lines"][0]["box"] == [1, 2, 3, 4]
    assert Page.model_validate(written) == page
