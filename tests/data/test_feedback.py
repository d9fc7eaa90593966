"""Corrections are written whole and read back as forms; a spoilt one is refused with what is wrong."""

import json
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from PIL import Image

from text_recognizer.data import feedback
from text_recognizer.data.iam import Box
from text_recognizer.errors import DataError

LINES = [("to be", (20, 10, 200, 40)), ("or \u201cnot\u201d", (25, 70, 180, 40))]
MADE = datetime(2026, 11, 25, 16, 4, 5, tzinfo=timezone(timedelta(hours=1)))
DIGEST = "3fa9"


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "feedback"


@pytest.fixture
def picture(encoded):
    return encoded(Image.fromarray(np.full((150, 300), 240, dtype=np.uint8)))


@pytest.fixture
def saved(folder, picture):
    return feedback.save(folder, picture, ".png", LINES, DIGEST, MADE, writer="anna", dpi=150)


def spoil(folder, name, **values):
    path = folder / f"{name}.json"
    content = {**json.loads(path.read_text(encoding="utf-8")), **values}
    path.write_text(json.dumps({key: value for key, value in content.items() if value is not None}), encoding="utf-8")


def test_what_was_saved_comes_back_as_a_form(folder, saved):
    correction = feedback.read(folder, saved)

    assert (correction.id, correction.model, correction.made) == (saved, DIGEST, "2026-11-25T15:04:05+00:00")
    assert correction.picture.shape == (150, 300)
    form = correction.form
    assert (form.id, form.writer, form.width, form.height) == (f"feedback-{saved}", "anna", 600, 300)
    assert form.text == 'to be\nor "not"'
    assert [line.box for line in form.lines] == [Box(40, 20, 400, 80), Box(50, 140, 360, 80)]


def test_without_a_resolution_the_median_line_is_as_high_as_the_reader_s(folder, picture):
    name = feedback.save(folder, picture, ".png", LINES, DIGEST, MADE)
    form = feedback.read(folder, name).form

    assert form.lines[0].box.height == pytest.approx(0.4 * 300)
    assert form.writer == form.id


def test_names_sort_by_time_and_never_meet(folder, picture):
    early = datetime(2026, 1, 1, tzinfo=UTC)
    names = [feedback.save(folder, picture, ".png", LINES, DIGEST, early + timedelta(hours=n // 2)) for n in range(6)]

    assert len(set(names)) == 6
    assert [name[:15] for name in feedback.list_ids(folder)] == sorted(name[:15] for name in names)


def test_drafts_and_other_files_are_no_corrections(folder, saved):
    for name in (".draft.json", "README.md", ".x.png.part"):
        (folder / name).write_text("draft")

    assert feedback.list_ids(folder) == [saved]


def test_halves_are_listed_so_that_somebody_hears_of_them(folder, saved):
    (folder / "alone.png").write_bytes(b"")
    (folder / "alone2.json").write_text("{}")

    assert feedback.list_ids(folder) == sorted([saved, "alone", "alone2"])


def test_no_folder_holds_nothing(tmp_path):
    assert feedback.list_ids(tmp_path / "nowhere") == []


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ({"format": 2}, "not of format 1"),
        ({"made": None}, "lacks 'made'"),
        ({"made": "yesterday"}, "yesterday"),
        ({"made": 7}, "at fault"),
        ({"made": "2026-11-25T15:04:05"}, "no time zone"),
        ({"model": " "}, "model names none"),
        ({"lines": {}}, "no lines"),
        ({"lines": [{"text": 7, "box": [1, 2, 3, 4]}]}, "is no text"),
        ({"lines": [{"text": "a"}]}, "lacks 'box'"),
        ({"lines": [{"text": "a", "box": [1, 2, 3]}]}, r"\[1, 2, 3\] is not"),
        ({"lines": [{"text": "a", "box": [1, 2, 0, 4]}]}, "is not"),
        ({"lines": [{"text": "a", "box": [1, 2, True, 4]}]}, "is not"),
        ({"lines": [{"text": "a", "box": [1, 2, 1e300, 4]}]}, "is not"),
        ({"writer": 7}, "writer = 7"),
        ({"dpi": 1}, "dpi = 1 "),
        ({"dpi": True}, "dpi = True"),
    ],
)
def test_a_spoilt_correction_is_refused_with_what_is_wrong(folder, saved, values, what):
    spoil(folder, saved, **values)
    with pytest.raises(DataError, match=what) as caught:
        feedback.read(folder, saved)
    assert caught.value.fix


def test_a_second_picture_is_refused(folder, saved, picture):
    (folder / f"{saved}.jpg").write_bytes(picture)
    with pytest.raises(DataError, match="has 2 pictures"):
        feedback.read(folder, saved)


@pytest.mark.parametrize("name", ["../x", "a/b", "", " x"])
def test_a_name_that_leaves_the_folder_is_refused(folder, name):
    with pytest.raises(DataError, match="is no name"):
        feedback.read(folder, name)


def test_a_picture_of_an_unknown_kind_is_not_saved(folder, picture):
    with pytest.raises(DataError, match=r"'\.exe'"):
        feedback.save(folder, picture, ".exe", LINES, DIGEST, MADE)
    assert not folder.exists()


def test_a_correction_that_cannot_be_written_whole_leaves_nothing(folder, picture, monkeypatch):
    def full(*_):
        raise OSError("no space left")

    monkeypatch.setattr(feedback, "write_json", full)
    with pytest.raises(OSError, match="no space"):
        feedback.save(folder, picture, ".png", LINES, DIGEST, MADE)
    assert list(folder.iterdir()) == []


def test_a_picture_whose_labels_were_never_written_counts_for_nothing(folder, saved):
    (folder / f"{saved}.json").unlink()
    with pytest.raises(DataError, match="has a picture and no"):
        feedback.read(folder, saved)


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        (LINES, None),
        ([LINES[0], (" ", (25, 70, 180, 40))], "line 2 has no text"),
        ([("to \u20ac", (20, 10, 200, 40))], "line 1 has characters that the reader does not know: \u20ac"),
        ([("to be", (20, 10, 281, 40))], "the box of line 1 leaves the picture"),
        ([("to be", (-1, 10, 200, 40))], "the box of line 1 leaves the picture"),
        ([("to be", (20, 10, 0.2, 40))], "the box of line 1 has no area"),
        (LINES[::-1], "line 2 is not below the one before"),
    ],
)
def test_what_the_labels_alone_show_to_be_wrong_is_found(lines, fault):
    page = np.full((150, 300), 240, dtype=np.uint8)
    content = feedback.content_of(lines, DIGEST, MADE)
    assert feedback.first_fault(feedback.parse("new", content, page).form) == fault
