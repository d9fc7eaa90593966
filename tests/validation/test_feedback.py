"""Corrections are checked one by one: a bad one is refused with its reason, and stops nothing."""

import json
from datetime import UTC, datetime

import numpy as np
import pytest

from text_recognizer.data import feedback

BOXES = [(50, 50, 500, 50), (50, 150, 500, 50)]
TEXTS = ["It is a page", "that was put right."]
MADE = datetime(2026, 11, 25, 15, 0, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "feedback"


@pytest.fixture
def correct(folder, encode, small_form):
    """Adds a correction of a page, of its own or of the named form; gives its name."""

    def add(texts=TEXTS, boxes=BOXES, page="f01-000", made=MADE, paint=lambda page: page, **more):
        picture = encode(paint(small_form(page, "x").page()))
        lines = list(zip(texts, boxes, strict=True))
        return feedback.save(folder, picture, ".png", lines, "3fa9", made, **{"dpi": 150.0, **more})

    return add


@pytest.fixture
def verdict(corpus, check, folder):
    """Validates the good corpus beside the corrections; gives the summary of these."""

    def run():
        outcome = check(corpus, feedback=folder)
        assert outcome.passed, "corrections do not decide whether the archive is valid"
        return outcome.summary["feedback"]

    return run


def test_a_good_correction_is_accepted(correct, verdict):
    name = correct()
    assert verdict() == {"accepted": [name], "refused": {}}


def test_without_a_dpi_the_boxes_tell_the_scale(correct, verdict):
    name = correct(dpi=None)
    assert verdict()["accepted"] == [name]


FAULTS = {
    "a line without text": ({"texts": ["It is a page", " "]}, "correction_text"),
    "a character outside the charset": ({"texts": ["It is a page", "of \u20ac"]}, "correction_charset"),
    "a box that leaves the picture": ({"boxes": [BOXES[0], (150, 150, 500, 50)]}, "correction_inside"),
    "lines in the wrong order": ({"texts": TEXTS[::-1], "boxes": BOXES[::-1]}, "correction_order"),
    "a box too narrow for its text": ({"boxes": [BOXES[0], (50, 150, 40, 50)]}, "correction_fits_box"),
    "a box where nothing is written": ({"boxes": [BOXES[0], (50, 220, 500, 50)]}, "correction_inked"),
    "a page of the test split": ({"page": "c01-000"}, "correction_held_out"),
    "a blank page": ({"paint": lambda page: np.full_like(page, 250)}, "correction_inked"),
}


def reasons(verdict):
    """Of each refused correction, the names of the expectations that it fails."""
    return {name: [reason.split(":")[0] for reason in found] for name, found in verdict["refused"].items()}


def test_each_fault_is_the_only_reason_for_which_its_correction_is_refused(correct, verdict):
    # Given one correction with each fault, each of a page of its own
    expected = {}
    for number, (changes, reason) in enumerate(FAULTS.values()):
        expected[correct(**{"page": f"f02-{number:03}", **changes})] = [reason]
    found = verdict()
    assert found["accepted"] == []
    assert reasons(found) == expected


def test_a_line_too_long_for_the_canvas_is_the_only_reason(correct, corpus, check, folder, params):
    name = correct(texts=["abcd" * 10, "right"])
    narrow = params.model_copy(update={"preprocess": params.preprocess.model_copy(update={"canvas_width": 144})})
    assert reasons(check(corpus, narrow, feedback=folder).summary["feedback"]) == {name: ["correction_fits_canvas"]}


def test_a_page_corrected_twice_counts_as_it_was_corrected_last(correct, verdict):
    early = correct(texts=["It was a page", "that was put wrong."])
    late = correct(made=MADE.replace(hour=16))
    found = verdict()
    assert found["accepted"] == [late]
    assert found["refused"] == {early: [f"correction_last: {late}"]}


def test_a_page_of_the_training_split_may_be_corrected(correct, verdict):
    name = correct(page="a01-000")
    assert verdict()["accepted"] == [name]


SPOILT = {
    "no JSON": lambda folder, name: (folder / f"{name}.json").unlink(),
    "no picture": lambda folder, name: (folder / f"{name}.png").unlink(),
    "a broken picture": lambda folder, name: (folder / f"{name}.png").write_bytes(b"GIF89a"),
    "half a JSON": lambda folder, name: (folder / f"{name}.json").write_text('{"format": 1,'),
    "another format": lambda folder, name: change(folder, name, format=2),
    "no model": lambda folder, name: change(folder, name, model=""),
    "no time zone": lambda folder, name: change(folder, name, made="2026-11-25T15:00:00"),
    "no lines": lambda folder, name: change(folder, name, lines=[]),
    "a line that is text": lambda folder, name: change(folder, name, lines=["text"]),
    "a box of three": lambda folder, name: change(folder, name, lines=[{"text": "a", "box": [1, 2, 3]}]),
    "a dpi of nought": lambda folder, name: change(folder, name, dpi=0),
}


def change(folder, name, **values):
    path = folder / f"{name}.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def test_corrections_that_cannot_be_read_are_refused_for_that_alone(correct, verdict, folder):
    names = []
    for number, spoil in enumerate(SPOILT.values()):
        names.append(correct(page=f"f03-{number:03}"))
        spoil(folder, names[-1])
    found = verdict()
    assert found["accepted"] == []
    assert reasons(found) == {name: ["correction_read"] for name in names}


def test_a_refused_correction_is_named_in_the_table_and_pictured_in_the_data_docs(correct, corpus, check, folder, site):
    name = correct(texts=["It is a page", "of \u20ac"])
    table = check(corpus, feedback=folder).table()
    assert "feedback: 0 corrections to learn from, 1 refused" in table
    assert name in table
    assert f'<img src="pictures/feedback-{name}.jpg"' in (site / "index.html").read_text(encoding="utf-8")
    assert (site / f"pictures/feedback-{name}.jpg").is_file()


def test_no_folder_is_no_correction(corpus, check, tmp_path):
    assert check(corpus, feedback=tmp_path / "nowhere").summary["feedback"] == {"accepted": [], "refused": {}}
