"""The summary of a run of the pipeline names its figures, its limits and its files, and refuses a damaged report."""

import json

import pytest

from flows.report_links import table
from flows.summary import plain, rejection, summarise
from text_recognizer.core.errors import DataError
from text_recognizer.core.layout import Layout


@pytest.fixture
def write(tmp_path, score, verdict, validation):
    """Write the reports of a run, some of them changed; return the project's folder."""
    reports = {"score": score, "verdict": verdict, "validation": validation}

    def write_reports(**changed):
        for name, value in (reports | changed).items():
            path = getattr(Layout(tmp_path), name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(value))
        return tmp_path

    return write_reports


def test_the_summary_has_the_figures_with_their_limits_and_the_places_of_the_results(write):
    rows = dict(summarise(write()))
    assert rows["data"] == "10 forms (7 train, 3 test), 20 lines, 5 writers"
    assert rows["test CER"] == "10.00% (8.00% to 12.00%), limit 20.00%"
    assert rows["test WER"] == "40.00%, limit 70.00%"
    assert rows["report"] == "reports/report.html"
    assert rows["Data Docs"] == "reports/data_docs/index.html"
    assert (rows["verdict"], rows["bento"], rows["serve it"]) == ("accepted", "dist/bento", "make serve")


def test_the_summary_has_the_review_budget_and_the_worst_slice_that_is_not_by_character(write, score):
    point = {"share": 0.1, "words": 180, "found": 0.325, "threshold": 0.6, "chance": 0.1}
    row = {"writers": 9, "characters": 100, "interval": None}
    slices = [
        {**row, "by": "lines", "name": "1 line", "cer": 0.08, "pages": 40},
        {**row, "by": "lines", "name": "3 lines", "cer": 0.12, "pages": 30},
        {**row, "by": "character", "name": "digits", "cer": 0.5, "pages": 9},
    ]
    changed = score | {"calibration": score["calibration"] | {"at_budget": point}, "slices": slices}
    rows = dict(summarise(write(score=changed)))
    assert rows["review"].split()[1] == "10%"
    assert "32%" in rows["review"]
    assert rows["worst slice"] == "3 lines: 12.00% on 30 pages"


def test_a_score_without_slices_and_confidences_has_no_rows_for_them(write):
    assert not {"review", "worst slice"} & dict(summarise(write())).keys()


def test_a_rejected_model_is_not_offered_to_be_served(write, rejected_verdict):
    rows = dict(summarise(write(verdict=rejected_verdict)))
    assert rows["verdict"] == "rejected"
    assert "serve it" not in rows
    assert rows["bento"].startswith("none")


def test_after_a_rejection_the_bento_of_the_last_accepted_model_is_named(write, rejected_verdict, tmp_path):
    Layout(tmp_path).bento.mkdir(parents=True)
    assert dict(summarise(write(verdict=rejected_verdict)))["bento"].startswith("none")
    (Layout(tmp_path).bento / "bento.yaml").touch()
    rows = dict(summarise(write(verdict=rejected_verdict)))
    assert rows["bento"].startswith("dist/bento ")


def test_a_passed_verdict_has_no_reasons_for_a_rejection(write):
    assert rejection(write()) == ""


def test_the_reasons_for_a_rejection_are_those_of_the_failed_rules(write, rejected_verdict):
    assert rejection(write(verdict=rejected_verdict)) == "  wer: too many words"


def test_a_rejection_without_a_failed_rule_still_has_a_reason(write, verdict):
    assert rejection(write(verdict=verdict | {"passed": False})) != ""


@pytest.mark.parametrize("passed", [None, "true", 1, 0])
def test_a_verdict_whose_outcome_is_not_a_boolean_is_an_error_and_never_a_pass(write, verdict, passed):
    with pytest.raises(DataError) as caught:
        rejection(write(verdict=verdict | {"passed": passed}))
    assert "verdict.json" in caught.value.what


def test_a_missing_report_is_named(write, tmp_path):
    Layout(write()).score.unlink()
    with pytest.raises(DataError) as caught:
        summarise(tmp_path)
    assert "score.json" in caught.value.what


def test_a_report_that_lacks_a_figure_is_named_with_the_figure(write, score):
    with pytest.raises(DataError) as caught:
        summarise(write(score={name: value for name, value in score.items() if name != "cer_interval"}))
    assert "score.json" in caught.value.what
    assert "cer_interval" in caught.value.what


def test_a_truncated_report_is_named(write, tmp_path):
    Layout(write()).verdict.write_text('{"passed": tr')
    with pytest.raises(DataError) as caught:
        rejection(tmp_path)
    assert "verdict.json" in caught.value.what


def test_the_columns_of_the_plain_table_are_aligned():
    assert plain([("a", "1"), ("long", "2")]) == "a     1\nlong  2"


def test_a_value_cannot_break_the_markdown_table():
    assert "| a | 1\\|2<br>3 |" in table(("", ""), [("a", "1|2\n3")])
