import json

import pytest

from flows.summary import markdown, plain, rejection, summarise
from text_recognizer import paths
from text_recognizer.errors import DataError

RULES = [
    {"name": "cer", "limit": 0.2, "value": 0.1, "passed": True, "reason": "within"},
    {"name": "wer", "limit": 0.7, "value": 0.4, "passed": True, "reason": "within"},
]
SCORE = {"cer": 0.1, "cer_interval": [0.08, 0.12], "wer": 0.4, "pages": 120, "characters": 9000}
VALIDATION = {
    "passed": True,
    "counts": {"forms": 10, "lines": 20, "writers": 5, "excluded": 0},
    "splits": {"train": {"forms": 7}, "test": {"forms": 3}},
}


def write(project, **changed):
    files = {paths.SCORE: SCORE, paths.VERDICT: {"passed": True, "rules": RULES}, paths.VALIDATION: VALIDATION}
    for path, value in {**files, **{getattr(paths, name): value for name, value in changed.items()}}.items():
        (project / path).parent.mkdir(parents=True, exist_ok=True)
        (project / path).write_text(json.dumps(value))
    return project


def test_the_summary_says_what_was_made_how_well_it_reads_and_how_to_serve_it(tmp_path):
    rows = dict(summarise(write(tmp_path)))
    assert rows["data"] == "10 forms (7 train, 3 test), 20 lines, 5 writers"
    assert rows["test CER"] == "10.00% (8.00% to 12.00%), limit 20.00%"
    assert rows["report"] == "reports/report.html"
    assert rows["Data Docs"] == "reports/data_docs/index.html"
    assert (rows["bento"], rows["serve it"]) == ("dist/bento", "make serve")


def test_the_summary_says_what_the_doubt_is_good_for_and_where_the_model_is_weakest(tmp_path):
    found = {
        "calibration": {"at_budget": {"share": 0.1, "found": 0.325}},
        "slices": [
            {"by": "lines", "name": "1 line", "cer": 0.08, "pages": 40},
            {"by": "lines", "name": "3 lines", "cer": 0.12, "pages": 30},
            {"by": "character", "name": "digits", "cer": 0.5, "pages": 9},
        ],
    }
    rows = dict(summarise(write(tmp_path, SCORE=SCORE | found)))
    assert rows["doubt"] == "re-reading 10% of the words finds 32% of the wrong"
    assert rows["worst slice"] == "3 lines: 12.00% on 30 pages"


def test_a_rejected_model_is_not_offered_to_be_served(tmp_path):
    rows = dict(summarise(write(tmp_path, VERDICT={"passed": False, "rules": RULES})))
    assert rows["verdict"] == "rejected"
    assert "serve it" not in rows
    assert rows["bento"].startswith("none")


def test_the_bento_of_the_last_accepted_model_is_named_as_such(tmp_path):
    (tmp_path / paths.BENTO).mkdir(parents=True)
    rows = dict(summarise(write(tmp_path, VERDICT={"passed": False, "rules": RULES})))
    assert "last accepted" in rows["bento"]


def test_a_verdict_that_passed_has_no_reasons_against_it(tmp_path):
    assert rejection(write(tmp_path)) == ""


def test_the_reasons_against_a_model_are_those_of_the_rules_that_failed(tmp_path):
    failed = {"name": "wer", "limit": 0.7, "value": 0.9, "passed": False, "reason": "too many words"}
    assert rejection(write(tmp_path, VERDICT={"passed": False, "rules": [RULES[0], failed]})) == "  wer: too many words"


@pytest.mark.parametrize("passed", [False, None, "true", 1])
def test_anything_but_true_is_a_rejection(tmp_path, passed):
    assert rejection(write(tmp_path, VERDICT={"passed": passed, "rules": []})) != ""


def test_a_missing_report_is_named(tmp_path):
    (write(tmp_path) / paths.SCORE).unlink()
    with pytest.raises(DataError, match=r"score\.json does not exist"):
        summarise(tmp_path)


def test_a_report_without_its_figures_is_an_error_for_people(tmp_path):
    with pytest.raises(DataError, match="cer_interval"):
        summarise(write(tmp_path, SCORE={"cer": 0.1}))


def test_a_report_that_was_cut_short_is_an_error_for_people(tmp_path):
    (write(tmp_path) / paths.VERDICT).write_text('{"passed": tr')
    with pytest.raises(DataError, match=r"verdict\.json cannot be read"):
        rejection(tmp_path)


def test_the_columns_of_the_plain_table_line_up():
    assert plain([("a", "1"), ("long", "2")]) == "a     1\nlong  2"


def test_a_value_cannot_break_the_markdown_table():
    assert "| a | 1\\|2<br>3 |" in markdown([("a", "1|2\n3")])
