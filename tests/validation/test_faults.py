"""One fault at a time in an archive that has no other: its own expectation fails, names the row, and no other does."""

import io
import zipfile

import numpy as np
import pytest
from PIL import Image

from text_recognizer.validation import validate

FORM = "a01-001"
XML, PICTURE = f"xml/{FORM}.xml", f"forms/{FORM}.png"


def relabel(corpus, old, new):
    content = corpus.files[XML]
    assert old in content
    corpus.files[XML] = content.replace(old, new, 1)


def repaint(corpus, encode, change):
    """Changes the page of FORM, uint8 grey (H, W)."""
    corpus.files[PICTURE] = encode(change(np.asarray(Image.open(io.BytesIO(corpus.files[PICTURE])))))


LABEL_FAULTS = {
    "an XML that does not parse": (b"</form>", b"", "labels_read", [FORM]),
    "an XML without writer-id": (b'writer-id="000"', b"", "labels_read", [FORM]),
    "a page size that is no number": (b'width="1200"', b'width="wide"', "labels_read", [FORM]),
    "a page of no width": (b'width="1200"', b'width="0"', "labels_read", [FORM]),
    "a writer without a name": (b'writer-id="000"', b'writer-id=" "', "writer_named", [FORM]),
    "an id that is not the file's name": (b'form id="a01-001"', b'form id="a01-999"', "id_matches", [FORM]),
    "a character outside the charset": (b"first", "fir\u20acst".encode(), "text_in_charset", [f"{FORM}-00"]),
    "a line without text": (b'text="The first line,"', b'text=" "', "text_present", [f"{FORM}-00"]),
    "a line without a box": (b'<cmp x="100" y="100" width="1000" height="100"/>', b"", "box_present", [f"{FORM}-00"]),
    "a box beyond the right edge": (b'<cmp x="100"', b'<cmp x="201"', "box_inside", [f"{FORM}-00"]),
    "a box beyond the left edge": (b'<cmp x="100"', b'<cmp x="-1"', "box_inside", [f"{FORM}-00"]),
    "a box without area": (b'height="100"', b'height="0"', "box_inside", [f"{FORM}-00"]),
    "lines in the wrong order": (b'y="100"', b'y="500"', "reading_order", [f"{FORM}-01"]),
    "a line that bears another form's id": (b'id="a01-001-01"', b'id="a01-000x-01"', "line_ids", ["a01-000x-01"]),
    "one id on two lines": (b'id="a01-001-01"', b'id="a01-001-00"', "line_ids_unique", [f"{FORM}-00"] * 2),
    "a box too narrow for its text": (
        b'width="1000" height="100"',
        b'width="100" height="100"',
        "line_fits_box",
        [f"{FORM}-00"],
    ),
}


@pytest.mark.parametrize(("old", "new", "expectation", "rows"), LABEL_FAULTS.values(), ids=LABEL_FAULTS.keys())
def test_a_fault_in_the_labels_fails_its_expectation_alone(corpus, check, failing, old, new, expectation, rows):
    relabel(corpus, old, new)

    assert failing(check(corpus)) == {expectation: rows}


PAGE_FAULTS = {
    "a blank page": (lambda page: np.full_like(page, 250), "ink"),
    "a blackened page": (lambda page: np.full_like(page, 20), "ink"),
    "a page cut short": (lambda page: page[:300], "picture_shape"),
    "a page scanned too coarsely": (lambda page: page[::4, ::4], "resolution"),
    "a page of 16 bits": (lambda page: page.astype(np.uint16) * 257, "picture_mode"),
}


@pytest.mark.parametrize(("change", "expectation"), PAGE_FAULTS.values(), ids=PAGE_FAULTS.keys())
def test_a_fault_in_the_page_fails_its_expectation_alone(corpus, check, failing, encode, change, expectation):
    repaint(corpus, encode, change)

    assert failing(check(corpus)) == {expectation: [FORM]}


def test_a_line_that_nobody_wrote_fails_alone(corpus, check, failing, encode):
    def wipe(page):
        return np.vstack([page[:140], np.full_like(page[140:], 250)])

    repaint(corpus, encode, wipe)

    assert failing(check(corpus)) == {"line_inked": [f"{FORM}-01"]}


THREE = {"texts": ["one", "two", "three"], "boxes": [(100, y, 1000, 100) for y in (100, 300, 500)]}


def test_a_row_of_writing_without_a_line_fails_alone(corpus, check, failing, small_form):
    corpus.put(small_form(FORM, "000", **THREE))
    corpus.files[XML] = small_form(FORM, "000", texts=["one", "three"], boxes=THREE["boxes"][::2]).xml()

    assert failing(check(corpus)) == {"rows_claimed": [FORM]}


def test_a_line_over_many_rows_of_writing_fails_alone(corpus, check, failing, small_form):
    corpus.put(small_form(FORM, "000", **THREE))
    corpus.files[XML] = small_form(FORM, "000", texts=["one two three"], boxes=[(100, 100, 1000, 500)]).xml()

    assert failing(check(corpus)) == {"row_count": [FORM]}


@pytest.mark.parametrize(("width", "fine"), [(600, True), (599, True), (594, False)])
def test_a_halved_scan_may_lack_a_pixel_but_not_more(corpus, check, params, encode, width, fine):
    # Given pages at 150 dpi, one of which is narrower
    page = np.asarray(Image.open(io.BytesIO(corpus.files[PICTURE])).resize((width, 400)))
    corpus.files[PICTURE] = encode(page)
    crops = params.preprocess.model_copy(update={"dpi": 150})
    rows = check(corpus, params.model_copy(update={"preprocess": crops})).summary["expectations"]
    (row,) = [row for row in rows if row["name"] == "resolution"]
    assert row["ids"] == ([] if fine else [FORM])


ALIKE = {
    "saved anew": lambda page: page,
    "lit anew": lambda page: (255 * (page / 255) ** 0.6).astype(np.uint8),
    "scanned anew": lambda page: np.asarray(Image.fromarray(page).rotate(0.3, fillcolor=250, resample=2)),
    "scanned finer": lambda page: np.asarray(Image.fromarray(page).resize((1200, 800))),
}


@pytest.mark.parametrize("change", ALIKE.values(), ids=ALIKE.keys())
def test_one_page_in_two_pictures_fails_alone_and_names_both(corpus, check, failing, encode, change):
    page = np.asarray(Image.open(io.BytesIO(corpus.files["forms/a01-000.png"])))
    corpus.files[PICTURE] = encode(change(page), "JPEG")

    assert failing(check(corpus)) == {"pages_differ": ["a01-000", FORM]}


@pytest.mark.parametrize("name", ["mine", "a01-000-x", "a page-1"])
def test_an_id_that_no_list_can_name_fails_alone(corpus, check, failing, small_form, name):
    corpus.put(small_form(name, "000"))

    assert failing(check(corpus)) == {"form_ids": [name]}


@pytest.mark.parametrize("content", [b"", b"<html>404</html>"], ids=["empty", "a web page"])
def test_a_file_that_is_no_picture_fails_alone(corpus, check, failing, content):
    corpus.files[PICTURE] = content

    assert failing(check(corpus)) == {"picture_opens": [FORM]}


def test_a_truncated_picture_fails_alone(corpus, check, failing):
    corpus.files[PICTURE] = corpus.files[PICTURE][: len(corpus.files[PICTURE]) // 2]

    assert failing(check(corpus)) == {"picture_opens": [FORM]}


@pytest.mark.parametrize(("name", "expectation"), [(PICTURE, "picture_opens"), (XML, "labels_read")])
def test_a_member_damaged_inside_the_zip_fails_alone(corpus, params, site, failing, tmp_path, name, expectation):
    path = corpus.save(tmp_path / "iamdb.zip")
    with zipfile.ZipFile(path) as archive:
        member = archive.getinfo(f"iamdb/{name}")
    content = bytearray(path.read_bytes())
    start = member.header_offset + 30 + len(member.filename)
    content[start : start + 20] = b"\xff" * 20
    path.write_bytes(content)

    assert failing(validate(path, params, site)) == {expectation: [FORM]}


def test_a_form_without_labels_fails_alone(corpus, check, failing):
    del corpus.files[XML]

    assert failing(check(corpus)) == {"has_labels": [FORM]}


def test_labels_without_a_form_fail_alone(corpus, check, failing):
    del corpus.files[PICTURE]

    assert failing(check(corpus)) == {"has_picture": [FORM]}


def test_a_form_with_two_pictures_fails_alone(corpus, check, failing, encode, small_form):
    corpus.files[f"forms/{FORM}.jpg"] = encode(small_form(FORM, "000").page(), "JPEG")

    assert failing(check(corpus)) == {"one_file_each": [FORM]}


def test_one_picture_under_two_ids_fails_alone_and_names_both(corpus, check, failing):
    corpus.files[PICTURE] = corpus.files["forms/a01-000.png"]

    assert failing(check(corpus)) == {"pictures_differ": ["a01-000", FORM]}


def test_a_form_without_lines_fails_alone(corpus, check, failing, small_form):
    corpus.files[XML] = small_form(FORM, "000", texts=[], boxes=[]).xml()

    assert failing(check(corpus)) == {"line_count": [FORM]}


def test_a_form_with_too_many_lines_fails_alone(corpus, check, failing, small_form):
    boxes = [(100, 30 * number, 1000, 20) for number in range(21)]
    corpus.put(small_form(FORM, "000", texts=["word"] * 21, boxes=boxes))

    assert failing(check(corpus)) == {"line_count": [FORM]}


def test_a_text_too_long_for_the_canvas_fails_alone(corpus, check, failing, params, small_form):
    corpus.put(small_form(FORM, "000", texts=["abcd" * 10], boxes=[(100, 100, 1000, 100)]))
    narrow = params.preprocess.model_copy(update={"canvas_width": 144})

    outcome = check(corpus, params.model_copy(update={"preprocess": narrow}))

    assert failing(outcome) == {"line_fits_canvas": [f"{FORM}-00"]}


def test_a_writer_in_two_splits_fails_alone_and_its_forms_are_named(corpus, check, failing, small_form):
    corpus.put(small_form("c01-000", "002"))

    outcome = check(corpus)

    assert failing(outcome) == {"writers_apart": ["002"]}
    (row,) = [row for row in outcome.summary["expectations"] if row["name"] == "writers_apart"]
    assert row["found"] == ["validation: b01-000, b01-001; test: c01-000"]


def test_a_writer_in_two_splits_passes_where_the_parameters_allow_it(corpus, check, params, small_form):
    corpus.put(small_form("c01-000", "002"))
    allowed = params.validate_.model_copy(update={"writers_apart": False})

    assert check(corpus, params.model_copy(update={"validate_": allowed})).passed


def test_a_form_in_two_splits_is_named(corpus, check, failing):
    corpus.assign("testset", ["b01-000", "c01-000", "c01-001"])

    assert failing(check(corpus))["one_split"] == ["b01-000"]


def test_an_empty_split_fails_alone_and_is_named(corpus, check, failing):
    corpus.assign("testset", [])

    outcome = check(corpus)

    assert failing(outcome) == {"split_filled": ["test"]}
    assert outcome.summary["splits"]["test"] == {"forms": 0, "lines": 0, "writers": 0}


def test_several_broken_forms_are_all_named_at_once(corpus, check, failing):
    corpus.files["xml/a01-000.xml"] = b"<form"
    corpus.files["xml/c01-001.xml"] = b""
    corpus.files[PICTURE] = b"no picture"

    outcome = check(corpus)

    assert failing(outcome) == {"labels_read": ["a01-000", "c01-001"], "picture_opens": [FORM]}
    assert outcome.summary["forms_at_fault"] == ["a01-000", FORM, "c01-001"]


def test_an_archive_of_broken_labels_alone_is_reported_not_raised(corpus, check, failing):
    for name in [name for name in corpus.files if name.startswith("xml/")]:
        corpus.files[name] = b"<form"

    assert len(failing(check(corpus))["labels_read"]) == 7


def test_excluding_the_forms_at_fault_mends_the_archive(corpus, check, params):
    corpus.files[XML] = b"<form"
    at_fault = tuple(check(corpus).summary["forms_at_fault"])
    without = params.model_copy(update={"data": params.data.model_copy(update={"exclude": at_fault})})

    outcome = check(corpus, without)

    assert outcome.passed
    assert (outcome.summary["counts"]["forms"], outcome.summary["counts"]["excluded"]) == (6, 1)


def test_a_form_in_no_split_is_checked_but_counted_in_none(corpus, check, params, small_form):
    corpus.put(small_form("d01-000", "000"))
    for split, ids in {"train": ["a01-000", "a01-001"], "validation": ["b01-000", "b01-001"]}.items():
        corpus.files[f"aachen/{split}.txt"] = "\n".join(ids).encode()
    corpus.files["aachen/test.txt"] = b"c01-000\nc01-001"
    aachen = params.model_copy(update={"data": params.data.model_copy(update={"split": "aachen"})})

    outcome = check(corpus, aachen)

    assert outcome.passed
    assert outcome.summary["counts"]["forms"] == 8
    assert sum(split["forms"] for split in outcome.summary["splits"].values()) == 6


def test_the_message_of_a_fault_says_what_was_found_and_what_to_do(corpus, check):
    relabel(corpus, b"first", "fir\u20acst".encode())

    table = check(corpus).table()

    assert "a01-001-00 (\u20ac (U+20AC))" in table
    assert "fix: correct the transcription" in table


def test_no_message_names_the_place_of_the_archive(corpus, check, tmp_path):
    corpus.files[XML] = b"<form"

    assert str(tmp_path) not in str(check(corpus).summary)


def test_more_processes_find_the_same(corpus, check, params, small_form):
    for number in range(20):
        corpus.put(small_form(f"e01-{number:03}", "001"))
    corpus.files[XML] = b"<form"
    summaries = [
        check(corpus, params.model_copy(update={"preprocess": section})).summary
        for section in (params.preprocess.model_copy(update={"workers": workers}) for workers in (1, 2))
    ]

    assert summaries[0] == summaries[1]
