"""The comparison with the champion: what passes, and that whatever cannot be compared is refused."""

import json

import pytest

from text_recognizer.registry.compare import compare

PAGES = "cd" * 32


def score(*edits, data=PAGES, **changed):
    """Writers of 100 characters each, with so many edits."""
    rows = [{"writer": f"w{n}", "pages": 1, "edits": count, "characters": 100} for n, count in enumerate(edits)]
    return {"cer": sum(edits) / (100 * len(edits)), "data": data, "by_writer": rows, **changed}


CHAMPION = score(*[10, 30, 50, 70] * 5)
BETTER = score(*[8, 28, 48, 68] * 5)
WORSE = score(*[11, 31, 51, 71] * 5)


def outcome(challenger, champion, section):
    text = champion if champion is None or isinstance(champion, str) else json.dumps(champion)
    rules = compare(challenger, text, "v1.0.0", section)
    return all(rule["passed"] for rule in rules), {rule["name"]: rule["reason"] for rule in rules}


def test_a_small_gain_that_every_writer_shares_is_seen_through_large_differences_between_them(section):
    # The two intervals overlap almost wholly: only a paired comparison can tell.
    passed, reasons = outcome(BETTER, CHAMPION, section)
    assert passed
    assert "-0.0200" in reasons["better"]


def test_a_gain_by_a_single_writer_is_not_enough(section):
    lucky = score(0, *[10, 30, 50, 70] * 4, 30, 50, 70)
    assert lucky["cer"] < CHAMPION["cer"]
    assert not outcome(lucky, CHAMPION, section)[0]


def test_an_equal_model_is_not_better_and_is_not_worse(section):
    assert not outcome(CHAMPION, CHAMPION, section)[0]
    assert outcome(CHAMPION, CHAMPION, section.model_copy(update={"rule": "not_worse"}))[0]


def test_a_margin_lets_a_slightly_worse_model_pass_and_no_more(section):
    rule = section.model_copy(update={"rule": "not_worse", "margin": 0.011})
    assert outcome(WORSE, CHAMPION, rule)[0]
    assert not outcome(WORSE, CHAMPION, rule.model_copy(update={"margin": 0.009}))[0]


@pytest.mark.parametrize(
    ("challenger", "champion", "reason"),
    [
        (BETTER, None, "score of the champion v1.0.0 cannot be read"),
        (BETTER, "{", "is no JSON"),
        (BETTER, "[" * 100_000, "is no JSON"),
        (BETTER, "[]", "is a list, not a table"),
        (BETTER, {**CHAMPION, "data": None}, "data is missing, not a sha256"),
        ({**BETTER, "data": "?"}, CHAMPION, "data is '?', not a sha256"),
        ({**BETTER, "data": "ef" * 32}, CHAMPION, "other test pages"),
        ({**BETTER, "by_writer": None}, CHAMPION, "by_writer is missing"),
        (BETTER, {**CHAMPION, "by_writer": [1]}, "not a list of tables"),
        (BETTER, {**CHAMPION, "cer": 0.9}, "do not come to the CER"),
        ({**BETTER, "by_writer": BETTER["by_writer"][1:]}, CHAMPION, "do not come to the CER"),
        (score(*[8] * 19), CHAMPION, "its writers are not those"),
        (score(8), score(9), "1 writer is too few"),
        (BETTER, json.dumps(CHAMPION).replace("0.4", "NaN"), "not a finite number"),
    ],
    ids=lambda value: str(value)[:25] if isinstance(value, str) else "score",
)
def test_what_cannot_be_compared_is_refused_with_its_reason(section, challenger, champion, reason):
    passed, reasons = outcome(challenger, champion, section)
    assert not passed
    assert any(reason in text for text in reasons.values()), reasons
