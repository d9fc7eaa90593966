"""Corrections are written atomically and read back as forms, and one that is not valid is refused with the reason."""

import json
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from PIL import Image

from text_recognizer.core.errors import DataError
from text_recognizer.core.geometry import Box
from text_recognizer.corpora import corrections

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
def save(folder, picture):
    """Save a correction of the picture; return its name."""

    def saved(lines=LINES, made=MADE, suffix=".png", **more):
        return corrections.save(folder, picture, suffix, corrections.new_record(lines, DIGEST, made, **more))

    return saved


@pytest.fixture
def saved(save):
    return save(writer="anna", dpi=150)


def change(folder, name, **values):
    """Change keys of a correction's JSON file; None removes a key."""
    path = folder / f"{name}.json"
    content = {**json.loads(path.read_text(encoding="utf-8")), **values}
    path.write_text(json.dumps({key: value for key, value in content.items() if value is not None}), encoding="utf-8")


def test_a_saved_correction_is_read_back_as_a_form(folder, saved):
    correction = corrections.read(folder, saved)

    assert (correction.id, correction.model, correction.made) == (saved, DIGEST, "2026-11-25T15:04:05+00:00")
    assert correction.picture.shape == (150, 300)
    form = correction.form
    assert (form.id, form.writer, form.width, form.height) == (f"feedback-{saved}", "anna", 600, 300)
    assert form.text == 'to be\nor "not"'
    assert [line.box for line in form.lines] == [Box(40, 20, 400, 80), Box(50, 140, 360, 80)]


def test_the_json_file_has_the_keys_of_the_documented_format(folder, save):
    content = json.loads((folder / f"{save()}.json").read_text(encoding="utf-8"))

    assert content == {
        "format": 1,
        "made": "2026-11-25T15:04:05+00:00",
        "model": DIGEST,
        "lines": [{"text": text, "box": list(box)} for text, box in LINES],
    }


def test_without_a_resolution_the_median_line_is_as_high_as_the_lines_of_the_reader(folder, save):
    form = corrections.read(folder, save()).form

    assert form.lines[0].box.height == pytest.approx(0.4 * 300)
    assert form.writer == form.id


def test_names_sort_by_time_and_are_unique(folder, save):
    early = datetime(2026, 1, 1, tzinfo=UTC)
    names = [save(made=early + timedelta(hours=number // 2)) for number in range(6)]

    assert len(set(names)) == 6
    assert [name[:15] for name in corrections.list_ids(folder)] == sorted(name[:15] for name in names)


def test_drafts_and_other_files_are_not_listed(folder, saved):
    for name in (".draft.json", "README.md", ".x.png.part"):
        (folder / name).write_text("draft")

    assert corrections.list_ids(folder) == [saved]


def test_corrections_that_lack_a_file_are_listed(folder, saved):
    (folder / "alone.png").write_bytes(b"")
    (folder / "alone2.json").write_text("{}")

    assert corrections.list_ids(folder) == sorted([saved, "alone", "alone2"])


def test_a_folder_that_does_not_exist_has_no_corrections(tmp_path):
    assert corrections.list_ids(tmp_path / "nowhere") == []


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"format": 2}, "format"),
        ({"made": None}, "made"),
        ({"made": "yesterday"}, "made"),
        ({"made": 7}, "made"),
        ({"made": "2026-11-25T15:04:05"}, "made"),
        ({"model": " "}, "model"),
        ({"lines": {}}, "lines"),
        ({"lines": []}, "lines"),
        ({"lines": [{"text": 7, "box": [1, 2, 3, 4]}]}, "lines.0.text"),
        ({"lines": [{"text": "a"}]}, "lines.0.box"),
        ({"lines": [{"text": "a", "box": [1, 2, 3]}]}, "lines.0.box"),
        ({"lines": [{"text": "a", "box": [1, 2, 0, 4]}]}, "lines.0.box"),
        ({"lines": [{"text": "a", "box": [1, 2, True, 4]}]}, "lines.0.box.2"),
        ({"lines": [{"text": "a", "box": [1, 2, 1e300, 4]}]}, "lines.0.box.2"),
        ({"lines": [{"text": "a", "box": [1, 2, float("nan"), 4]}]}, "lines.0.box.2"),
        ({"writer": 7}, "writer"),
        ({"dpi": 1}, "dpi"),
        ({"dpi": True}, "dpi"),
    ],
)
def test_a_correction_with_a_wrong_value_is_refused_with_its_key(folder, saved, values, key):
    change(folder, saved, **values)
    with pytest.raises(DataError) as caught:
        corrections.read(folder, saved)
    assert f"{saved}.json" in caught.value.what
    assert f" {key} " in caught.value.what
    assert caught.value.fix


@pytest.mark.parametrize("content", [b"{", b"\xff", b"[1]", b"[" * 100_000])
def test_a_json_file_that_cannot_be_read_is_refused_by_name(folder, saved, content):
    (folder / f"{saved}.json").write_bytes(content)
    with pytest.raises(DataError) as caught:
        corrections.read(folder, saved)
    assert f"{saved}.json" in caught.value.what


def test_a_second_picture_is_refused(folder, saved, picture):
    (folder / f"{saved}.jpg").write_bytes(picture)
    with pytest.raises(DataError) as caught:
        corrections.read(folder, saved)
    assert f"{saved} has 2 pictures" in caught.value.what


@pytest.mark.parametrize("name", ["../x", "a/b", "", " x"])
def test_a_name_that_leaves_the_folder_is_refused(folder, name):
    with pytest.raises(DataError) as caught:
        corrections.read(folder, name)
    assert repr(name) in caught.value.what


def test_a_picture_of_an_unknown_format_is_not_saved(folder, save):
    with pytest.raises(DataError) as caught:
        save(suffix=".exe")
    assert "'.exe'" in caught.value.what
    assert not folder.exists()


def test_a_failed_write_leaves_nothing(folder, save, monkeypatch):
    def full(*_):
        raise OSError("no space left")

    monkeypatch.setattr(corrections, "write_json", full)
    with pytest.raises(OSError, match="no space"):
        save()
    assert list(folder.iterdir()) == []


def test_a_picture_without_labels_is_refused(folder, saved):
    (folder / f"{saved}.json").unlink()
    with pytest.raises(DataError) as caught:
        corrections.read(folder, saved)
    assert f"{saved}.json" in caught.value.what


def read_as(text, picture=None):
    """Return the correction of a picture with this text, and another line below it."""
    page = np.full((150, 300), 240, dtype=np.uint8) if picture is None else picture
    return corrections.to_correction("new", corrections.new_record([(text, LINES[0][1]), LINES[1]], DIGEST, MADE), page)


@pytest.mark.parametrize(
    ("sent", "label"),
    [("na\u00efve caf\u00e9", "naive cafe"), ("Stra\u00dfe", "Strasse"), ("an \u2018end\u2019", "an 'end'")],
)
def test_what_is_written_without_accents_is_labelled_so(sent, label):
    correction = read_as(sent)
    assert (correction.form.lines[0].text, correction.left_out) == (label, ())


def test_the_text_is_kept_as_it_was_sent(folder, save):
    name = save(lines=[("3 \u20ac, caf\u00e9", LINES[0][1])])
    content = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    assert content["lines"][0]["text"] == "3 \u20ac, caf\u00e9"


@pytest.mark.parametrize("sign", ["\u20ac", "<", ">", "\U0001f600", "\u4e2d"])
def test_a_line_that_cannot_be_labelled_is_left_out_and_the_others_stay(sign):
    correction = read_as(f"to {sign}")
    assert [corrections.line_number(line) for line in correction.form.lines] == [2]
    assert correction.form.text == 'or "not"'
    (left_out,) = correction.left_out
    assert "line 1" in left_out
    assert sign in left_out


def test_paper_is_painted_where_a_line_is_left_out_and_not_on_its_neighbour():
    # Given a page of ink, except for paper round the writing, and boxes that overlap by 10 px
    page = np.full((150, 300), 240, dtype=np.uint8)
    page[20:30, 30:200] = page[80:90, 30:200] = 20
    boxes = [(20, 10, 200, 40), (20, 40, 200, 60)]
    record = corrections.new_record([("\u20ac", boxes[0]), ("not", boxes[1])], DIGEST, MADE)
    page[42:48, 30:200] = 20
    # When the first line is left out
    painted = corrections.to_correction("new", record, page).picture
    # Then its ink is gone, and all of the box below is as it was
    assert (painted[10:40, 20:220] == 240).all()
    assert np.array_equal(painted[40:100], page[40:100])
    assert (page[20:30, 30:200] == 20).all()


@pytest.mark.parametrize("box", [(20, 10, 0, 40), (20, 10, float("inf"), 40), (1, 2, 3)])
def test_a_record_with_a_box_that_is_no_rectangle_is_refused(box):
    with pytest.raises(DataError) as caught:
        corrections.new_record([("to be", box)], DIGEST, MADE)
    assert "lines.0.box" in caught.value.what
