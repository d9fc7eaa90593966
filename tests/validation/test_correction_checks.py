"""Corrections are checked one by one: a faulty one is refused with its reasons, and the others are accepted."""

import json
import subprocess
import sys
from datetime import UTC, datetime

import numpy as np
import pytest
from tests.sources import page_source

from text_recognizer.corpora import corrections
from text_recognizer.validation import Beside, validate
from text_recognizer.validation.correction_checks import CorrectionLimits, examine

pytestmark = pytest.mark.slow

BOXES = [(50, 50, 500, 50), (50, 150, 500, 50)]
TEXTS = ["It is a page", "that was put right."]
MADE = datetime(2026, 11, 25, 15, 0, tzinfo=UTC)

GOOD = {
    "a good correction": {},
    "without a dpi, which the boxes tell": {"dpi": None},
    "a page of the training split": {"page": "a01-000"},
    "the later of two corrections of a page": {"page": "f09-000", "made": MADE.replace(hour=16)},
    "a line with a character outside the charset, and another": {"texts": ["It is a page", "of \u20ac"]},
    "letters with accents": {"texts": ["It is a c\u00e9page", "that was put right."]},
    "a correction that a later faulty one repeats": {"page": "f08-000"},
}
FAULTS = {
    "a line without text": ({"texts": ["It is a page", " "]}, "correction_text"),
    "a character outside the charset in every line": ({"texts": ["<b>", "of \u20ac"]}, "correction_charset"),
    "boxes nearer than lines can be": ({"boxes": [BOXES[0], (50, 80, 500, 50)]}, "correction_apart"),
    "a box of one pixel": ({"boxes": [(50, 70, 500, 1), BOXES[1]]}, "correction_height"),
    "a page that is too large for the canvas": ({"dpi": 40}, "correction_fits_page"),
    "a later faulty correction of a page": (
        {"page": "f08-000", "texts": ["It is a page", " "], "made": MADE.replace(hour=17)}, "correction_text"
    ),
    "a box that leaves the picture": ({"boxes": [BOXES[0], (150, 150, 500, 50)]}, "correction_inside"),
    "lines in the wrong order": ({"texts": TEXTS[::-1], "boxes": BOXES[::-1]}, "correction_order"),
    "a box too narrow for its text": ({"boxes": [BOXES[0], (50, 150, 40, 50)]}, "correction_fits_box"),
    "a text too long for the canvas": (
        {"texts": ["abcd" * 15, "right"], "boxes": [(10, 50, 580, 50), BOXES[1]]}, "correction_fits_canvas",
    ),
    "a box without writing": ({"boxes": [BOXES[0], (50, 220, 500, 50)]}, "correction_inked"),
    "a page of the test split": ({"page": "c01-000"}, "correction_held_out"),
    "a blank page": ({"paint": lambda page: np.full_like(page, 250)}, "correction_inked"),
    "the earlier of two corrections of a page": ({"page": "f09-000"}, "correction_last"),
}  # fmt: skip
UNREADABLE = {
    "no JSON": lambda folder, name: (folder / f"{name}.json").unlink(),
    "no picture": lambda folder, name: (folder / f"{name}.png").unlink(),
    "a broken picture": lambda folder, name: (folder / f"{name}.png").write_bytes(b"GIF89a"),
    "half a JSON": lambda folder, name: (folder / f"{name}.json").write_text('{"format": 1,'),
    "another format": lambda folder, name: change(folder, name, format=2),
    "no model": lambda folder, name: change(folder, name, model=""),
    "no time zone": lambda folder, name: change(folder, name, made="2026-11-25T15:00:00"),
    "no lines": lambda folder, name: change(folder, name, lines=[]),
    "a line that is a string": lambda folder, name: change(folder, name, lines=["text"]),
    "a box of three numbers": lambda folder, name: change(folder, name, lines=[{"text": "a", "box": [1, 2, 3]}]),
    "a dpi of 0": lambda folder, name: change(folder, name, dpi=0),
}


def change(folder, name, **values):
    """Change values in the JSON file of a correction."""
    path = folder / f"{name}.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


@pytest.fixture(scope="module")
def names():
    """The name of each case's correction. `validated` fills it."""
    return {}


@pytest.fixture(scope="module")
def validated(new_corpus, small_form, encode, params, names, tmp_path_factory):
    """Validate the archive without faults with one correction for each case. Return the outcome and the site."""
    folder = tmp_path_factory.mktemp("corrections")
    feedback = folder / "feedback"

    def correct(number, texts=TEXTS, boxes=BOXES, page="", made=MADE, paint=lambda page: page, dpi=150.0):
        picture = encode(paint(small_form(page or f"f01-{number:03}", "x").page()))
        record = corrections.new_record(list(zip(texts, boxes, strict=True)), "3fa9", made, dpi=dpi)
        return corrections.save(feedback, picture, ".png", record)

    cases = {**GOOD, **{name: changes for name, (changes, _) in FAULTS.items()}, **{case: {} for case in UNREADABLE}}
    for number, (case, changes) in enumerate(cases.items()):
        names[case] = correct(number, **changes)
    for case, spoil in UNREADABLE.items():
        spoil(feedback, names[case])
    archive = new_corpus().save(folder / "iamdb.zip")
    return validate([page_source(archive)], params, folder / "docs", Beside(feedback)), folder / "docs"


@pytest.fixture(scope="module")
def reasons(validated):
    """Return the names of the expectations that each refused correction fails."""
    refused = validated[0].summary.feedback.refused
    return {name: [reason.split(":")[0] for reason in found] for name, found in refused.items()}


def test_good_corrections_are_accepted_and_no_others(validated, names):
    assert set(validated[0].summary.feedback.accepted) == {names[case] for case in GOOD}


@pytest.mark.parametrize("case", FAULTS)
def test_each_fault_is_the_only_reason_for_refusing_its_correction(reasons, names, case):
    assert reasons[names[case]] == [FAULTS[case][1]]


@pytest.mark.parametrize("case", UNREADABLE)
def test_a_correction_that_cannot_be_read_is_refused_for_that_alone(reasons, names, case):
    assert reasons[names[case]] == ["correction_read"]


def test_a_replaced_correction_names_the_later_one(validated, names):
    early, late = names["the earlier of two corrections of a page"], names["the later of two corrections of a page"]
    assert validated[0].summary.feedback.refused[early] == (f"correction_last: {late}",)


def test_refused_corrections_do_not_make_the_archive_invalid(validated):
    assert validated[0].summary.feedback.refused
    assert validated[0].passed


def test_a_refused_correction_is_named_in_the_table_and_shown_in_the_data_docs(validated, names):
    (outcome, site), name = validated, names["a character outside the charset in every line"]
    assert f"{len(GOOD)} corrections accepted, {len(FAULTS) + len(UNREADABLE)} refused" in outcome.table()
    assert name in outcome.table()
    assert f'<img src="pictures/feedback-{name}.jpg"' in (site / "index.html").read_text(encoding="utf-8")
    assert (site / f"pictures/feedback-{name}.jpg").is_file()


def test_a_correction_is_examined_alone_as_in_the_validation(validated, reasons, names, params):
    """The service tells a sender the same as the validation does later, without Great Expectations."""
    limits = CorrectionLimits.of(params)
    alone = [case for case in FAULTS if FAULTS[case][1] not in ("correction_held_out", "correction_last")]
    assert alone
    for case in alone:
        found = examine(corrections.read(validated[1].parent / "feedback", names[case]), limits).faults(limits)
        assert [fault.rule for fault in found] == reasons[names[case]], case


@pytest.mark.parametrize(
    ("case", "number"), [("a box of one pixel", 1), ("a box too narrow for its text", 2), ("a line without text", 2)]
)
def test_the_faulty_line_is_named(validated, names, params, case, number):
    limits = CorrectionLimits.of(params)
    (fault,) = examine(corrections.read(validated[1].parent / "feedback", names[case]), limits).faults(limits)
    assert f"line {number}" in fault.what


def test_a_line_is_counted_among_all_lines_that_were_sent(params, small_form):
    # Given a correction whose first line cannot be labelled, and whose second box is too low
    made = corrections.new_record([("\u20ac", BOXES[0]), ("right", (50, 170, 500, 5))], "3fa9", MADE, dpi=150.0)
    limits = CorrectionLimits.of(params)
    found = examine(corrections.to_correction("new", made, small_form("f01-000", "x").page()), limits)
    # Then the fault names the second line, although one line is left
    assert [(fault.rule, "line 2" in fault.what) for fault in found.faults(limits)] == [("correction_height", True)]


def test_the_checks_load_no_great_expectations_and_no_pandas():
    code = "import sys, text_recognizer.validation.correction_checks; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_without_a_folder_there_are_no_corrections(corpus, check, tmp_path):
    found = check(corpus, feedback=tmp_path / "nowhere").summary.feedback
    assert (found.accepted, found.refused) == ((), {})
