"""The comparison with the champion: which model passes, and that whatever cannot be compared fails."""

import json

import pytest

from text_recognizer.release.comparison import compare

PAGES = "cd" * 32


def score(*edits, data=PAGES, **changed):
    """Make a score of writers with 100 characters each and these numbers of edits."""
    rows = [{"writer": f"w{n}", "pages": 1, "edits": count, "characters": 100} for n, count in enumerate(edits)]
    return {"cer": sum(edits) / (100 * len(edits)), "data": data, "by_writer": rows, **changed}


CHAMPION = score(*[10, 30, 50, 70] * 5)
BETTER = score(*[8, 28, 48, 68] * 5)
WORSE = score(*[11, 31, 51, 71] * 5)


def results(challenger, champion, section):
    text = champion if champion is None or isinstance(champion, str) else json.dumps(champion)
    return {rule.name: rule for rule in compare(challenger, text, "v1.0.0", section)}


def passes(challenger, champion, section):
    return all(rule.passed for rule in results(challenger, champion, section).values())


def test_a_small_gain_that_every_writer_shares_is_found_despite_large_differences_between_the_writers(section):
    # The two intervals overlap almost completely: only a paired comparison finds the gain.
    better = results(BETTER, CHAMPION, section)["better"]
    assert better.passed
    assert better.limit == 0
    assert better.value == pytest.approx(-0.02)


def test_a_gain_by_a_single_writer_is_not_enough(section):
    lucky = score(0, *[10, 30, 50, 70] * 4, 30, 50, 70)
    assert lucky["cer"] < CHAMPION["cer"]
    assert not passes(lucky, CHAMPION, section)


def test_an_equal_model_is_neither_better_nor_worse(section):
    assert not passes(CHAMPION, CHAMPION, section)
    assert passes(CHAMPION, CHAMPION, section.model_copy(update={"rule": "not_worse"}))


def test_a_model_that_is_worse_by_less_than_the_margin_passes_and_by_more_fails(section):
    rule = section.model_copy(update={"rule": "not_worse", "margin": 0.011})
    assert passes(WORSE, CHAMPION, rule)
    assert not passes(WORSE, CHAMPION, rule.model_copy(update={"margin": 0.009}))


@pytest.mark.parametrize(
    ("challenger", "champion", "rule", "named"),
    [
        (BETTER, None, "champion", "v1.0.0"),
        (BETTER, "{", "champion", "JSON"),
        (BETTER, "[" * 100_000, "champion", "JSON"),
        (BETTER, "[]", "champion", "list"),
        (BETTER, {**CHAMPION, "data": None}, "champion", "data"),
        ({**BETTER, "data": "?"}, CHAMPION, "same_pages", "data is '?'"),
        ({**BETTER, "data": "ef" * 32}, CHAMPION, "same_pages", "efefefefefef"),
        ({**BETTER, "by_writer": None}, CHAMPION, "better", "by_writer"),
        (BETTER, {**CHAMPION, "by_writer": [1]}, "better", "by_writer"),
        (BETTER, {**CHAMPION, "cer": 0.9}, "better", "CER"),
        ({**BETTER, "by_writer": BETTER["by_writer"][1:]}, CHAMPION, "better", "CER"),
        (score(*[8] * 19), CHAMPION, "better", "by_writer has other writers"),
        (score(8), score(9), "better", "by_writer has 1 writers"),
        (BETTER, json.dumps(CHAMPION).replace("0.4", "NaN"), "better", "cer is not a finite number"),
    ],
    ids=lambda value: str(value)[:25] if isinstance(value, str) else "score",
)
def test_what_cannot_be_compared_fails_its_rule_with_a_reason(section, challenger, champion, rule, named):
    found = results(challenger, champion, section)
    assert not found[rule].passed
    assert found[rule].value is None or rule == "same_pages"
    assert named in found[rule].reason
    assert not passes(challenger, champion, section)
