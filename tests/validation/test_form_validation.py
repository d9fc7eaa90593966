"""Each fault of a form fails its own expectation, names the row, and fails no other expectation."""

import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tests.sources import page_source

from text_recognizer.validation import tables
from text_recognizer.validation.form_validation import examine

pytestmark = pytest.mark.slow

PARTNER = "p01-000"  # a form without a fault of its own; PARTNER_2 likewise
PARTNER_2 = "p01-001"
TEXT, WIDE = "the whole text of a line", [(100, 100 + 200 * number, 1000, 100) for number in range(3)]
THREE = {"texts": ["one", "two", "three"], "boxes": [(100, y, 1000, 100) for y in (100, 300, 500)]}


@dataclass(frozen=True)
class Fault:
    """A change of one form, the expectation that fails, and the rows: `{}` stands for the form's id."""

    spoil: Callable[[Any, str], None]
    expectation: str
    rows: tuple[str, ...] = ("{}",)
    id: str = ""


def relabelled(old, new):
    return lambda corpus, form: corpus.relabel(form, old.format(form), new.format(form))


def repainted(change):
    return lambda corpus, form: corpus.repaint(form, change(corpus.page(form)))


def replaced(kind, content):
    name = {"xml": "xml/{}.xml", "picture": "forms/{}.png"}[kind]
    return lambda corpus, form: corpus.files.update({name.format(form): content})


def removed(name):
    return lambda corpus, form: corpus.files.pop(name.format(form))


def copied(partner, change):
    """Give the form the page of its partner, changed and saved again."""
    return lambda corpus, form: corpus.repaint(form, change(corpus.page(partner)), "JPEG")


def drawn(labels=None, **lines):
    """Put a form with other lines; with `labels`, its XML has those lines instead."""
    return lambda corpus, form: corpus.put_lines(form, lines, labels or lines)


def two_pictures(corpus, form):
    corpus.files[f"forms/{form}.jpg"] = corpus.files[f"forms/{form}.png"] + b" "


def truncate(corpus, form):
    content = corpus.files[f"forms/{form}.png"]
    corpus.files[f"forms/{form}.png"] = content[: len(content) // 2]


def untouched(corpus, form):
    pass


FAULTS = {
    "an XML that does not parse": Fault(relabelled("</form>", ""), "labels_read"),
    "an empty XML": Fault(replaced("xml", b""), "labels_read"),
    "an XML without writer-id": Fault(relabelled('writer-id="w-{}"', ""), "labels_read"),
    "a page width that is no number": Fault(relabelled('width="1200"', 'width="wide"'), "labels_read"),
    "a page width of 0": Fault(relabelled('width="1200"', 'width="0"'), "labels_read"),
    "a writer without a name": Fault(relabelled('writer-id="w-{}"', 'writer-id=" "'), "writer_named"),
    "an id that is not the name of the file": Fault(relabelled('form id="{}"', 'form id="a01-999"'), "id_matches"),
    "a character outside the charset": Fault(relabelled("first", "fir\u20acst"), "text_in_charset", ("{}-00",)),
    "a line without text": Fault(relabelled('text="The first line,"', 'text=" "'), "text_present", ("{}-00",)),
    "a line without a box": Fault(
        relabelled('<cmp x="100" y="100" width="1000" height="100"/>', ""), "box_present", ("{}-00",)
    ),
    "a box beyond the right edge": Fault(relabelled('<cmp x="100"', '<cmp x="201"'), "box_inside", ("{}-00",)),
    "a box beyond the left edge": Fault(relabelled('<cmp x="100"', '<cmp x="-1"'), "box_inside", ("{}-00",)),
    "a box without area": Fault(relabelled('height="100"', 'height="0"'), "box_inside", ("{}-00",)),
    "lines in the wrong order": Fault(relabelled('y="100"', 'y="500"'), "reading_order", ("{}-01",)),
    "a line with the id of another form": Fault(
        relabelled('id="{}-01"', 'id="a01-000x-01"'), "line_ids", ("a01-000x-01",)
    ),
    "two lines with one id": Fault(relabelled('id="{}-01"', 'id="{}-00"'), "line_ids_unique", ("{}-00", "{}-00")),
    "a box too narrow for its text": Fault(
        relabelled('width="1000" height="100"', 'width="100" height="100"'), "line_fits_box", ("{}-00",)
    ),
    "a text too long for the canvas": Fault(
        drawn(texts=["abcd" * 15], boxes=[(20, 100, 1160, 100)]), "line_fits_canvas", ("{}-00",)
    ),
    "a line of which half the text is missing": Fault(
        drawn(labels={"texts": [TEXT, "text of a line", TEXT], "boxes": WIDE}, texts=[TEXT] * 3, boxes=WIDE),
        "text_density",
        ("{}-01",),
    ),
    "a form without lines": Fault(drawn(labels={"texts": [], "boxes": []}), "line_count"),
    "a form with too many lines": Fault(
        drawn(texts=["word"] * 21, boxes=[(100, 30 * number, 1000, 20) for number in range(21)]), "line_count"
    ),
    "a row of writing without a line": Fault(
        drawn(labels={"texts": ["one", "three"], "boxes": THREE["boxes"][::2]}, **THREE), "rows_in_boxes"
    ),
    "a line over many rows of writing": Fault(
        drawn(labels={"texts": ["one two three"], "boxes": [(100, 100, 1000, 500)]}, **THREE), "row_count"
    ),
    "a line without writing": Fault(
        repainted(lambda page: np.vstack([page[:140], np.full_like(page[140:], 250)])), "line_inked", ("{}-01",)
    ),
    "a blank page": Fault(repainted(lambda page: np.full_like(page, 250)), "ink"),
    "a black page": Fault(repainted(lambda page: np.full_like(page, 20)), "ink"),
    "a page cut short": Fault(repainted(lambda page: page[:300]), "picture_shape"),
    "a page of too low a resolution": Fault(repainted(lambda page: page[::4, ::4]), "resolution"),
    "a page of 16 bits": Fault(repainted(lambda page: page.astype(np.uint16) * 257), "picture_mode"),
    "an empty picture file": Fault(replaced("picture", b""), "picture_opens"),
    "a picture file that is a web page": Fault(replaced("picture", b"<html>404</html>"), "picture_opens"),
    "a truncated picture": Fault(truncate, "picture_opens"),
    "a picture damaged inside the zip": Fault(untouched, "picture_opens"),
    "labels damaged inside the zip": Fault(untouched, "labels_read"),
    "a form without labels": Fault(removed("xml/{}.xml"), "has_labels"),
    "labels without a picture": Fault(removed("forms/{}.png"), "has_picture"),
    "a form with two pictures": Fault(two_pictures, "one_file_each"),
    "an id without a dash": Fault(untouched, "form_ids", id="mine"),
    "an id with two dashes": Fault(untouched, "form_ids", id="m01-000-x"),
    "an id with a space": Fault(untouched, "form_ids", id="a page-1"),
    "the picture file of another form": Fault(
        lambda corpus, form: corpus.files.update({f"forms/{form}.png": corpus.files[f"forms/{PARTNER}.png"]}),
        "pictures_differ",
        (PARTNER, "{}"),
    ),
    "the page of another form, at another resolution": Fault(
        copied(PARTNER_2, lambda page: np.asarray(Image.fromarray(page).resize((1200, 800)))),
        "pages_differ",
        (PARTNER_2, "{}"),
    ),
}  # fmt: skip
IDS = {name: fault.id or f"t01-{number:03}" for number, (name, fault) in enumerate(FAULTS.items())}
DAMAGED = {"a picture damaged inside the zip": "forms/{}.png", "labels damaged inside the zip": "xml/{}.xml"}


def damage(path, name):
    """Overwrite the start of a member's data inside a zip."""
    with zipfile.ZipFile(path) as archive:
        member = archive.getinfo(f"iamdb/{name}")
    content = bytearray(path.read_bytes())
    start = member.header_offset + 30 + len(member.filename)
    content[start : start + 20] = b"\xff" * 20
    path.write_bytes(content)


@pytest.fixture(scope="module")
def faulty_archive(new_corpus, small_form, tmp_path_factory):
    """One archive with every fault, each on a form and a writer of its own."""
    corpus = new_corpus()
    for form in (PARTNER, PARTNER_2, *IDS.values()):
        corpus.put(small_form(form, f"w-{form}"))
    for name, fault in FAULTS.items():
        fault.spoil(corpus, IDS[name])
    path = corpus.save(tmp_path_factory.mktemp("faulty") / "iamdb.zip")
    for name, member in DAMAGED.items():
        damage(path, member.format(IDS[name]))
    return path


@pytest.fixture(scope="module")
def found(faulty_archive, params):
    """What the validation of that archive found."""
    return examine([page_source(faulty_archive)], params)


def failing_rows(found):
    """Return the failing rows of each form: its id -> the expectation -> the ids of the rows."""
    rows = {}
    for row in found.checked:
        for row_id, form in zip(row.record.ids, row.forms, strict=True):
            rows.setdefault(form, {}).setdefault(row.record.name, []).append(row_id)
    return rows


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_fails_its_expectation_alone(found, name):
    fault, form = FAULTS[name], IDS[name]
    expected = {}
    for row in fault.rows:
        owner = row if row in (PARTNER, PARTNER_2) else form
        expected.setdefault(owner, {}).setdefault(fault.expectation, []).append(row.format(form))
    rows = failing_rows(found)

    assert {owner: rows.get(owner) for owner in expected} == expected
    (record,) = [row.record for row in found.checked if row.record.name == fault.expectation]
    assert not record.passed


def test_only_the_faulty_forms_are_named(found):
    faulty = sorted({*IDS.values(), PARTNER, PARTNER_2})

    assert not found.outcome.passed
    assert sorted(failing_rows(found)) == faulty
    assert list(found.outcome.summary.forms_at_fault) == faulty


def test_a_message_names_the_row_the_value_and_the_fix(found):
    table = found.outcome.table()
    (record,) = [row.record for row in found.checked if row.record.name == "text_in_charset"]

    assert f"{IDS['a character outside the charset']}-00 (\u20ac (U+20AC))" in table
    assert f"fix: {record.fix}" in table


def test_no_message_names_the_path_of_the_archive(found, faulty_archive):
    assert str(faulty_archive.parent) not in found.outcome.summary.model_dump_json()


def test_excluding_the_forms_at_fault_gives_a_valid_archive(found, faulty_archive, with_section):
    exclude = found.outcome.summary.forms_at_fault
    outcome = examine([page_source(faulty_archive)], with_section("data", exclude=exclude)).outcome

    assert outcome.passed, outcome.table()
    assert (outcome.summary.counts.forms, outcome.summary.counts.excluded) == (7, len(exclude))


def test_the_number_of_processes_changes_nothing(faulty_archive, with_section):
    # Given more forms than one process gets at a time
    source = page_source(faulty_archive)
    one, two = (tables.build([source], with_section("runtime", workers=workers)) for workers in (1, 2))

    assert len(one.forms) > 32
    for suite in ("forms", "lines", "writers", "splits"):
        pd.testing.assert_frame_equal(one.of_suite(suite), two.of_suite(suite))


@pytest.mark.parametrize(
    "change",
    [
        lambda page: page,
        lambda page: (255 * (page / 255) ** 0.6).astype(np.uint8),
        lambda page: np.asarray(Image.fromarray(page).rotate(0.3, fillcolor=250, resample=2)),
    ],
    ids=["saved again", "lighted again", "scanned again"],
)
def test_the_same_page_in_two_pictures_is_found(corpus, params, tmp_path, change):
    corpus.repaint("a01-001", change(corpus.page("a01-000")), "JPEG")

    forms = tables.build([page_source(corpus.save(tmp_path / "iamdb.zip"))], params).forms

    assert sorted(forms[forms["same_page"].notna()]["id"]) == ["a01-000", "a01-001"]


def test_a_halved_scan_may_lack_a_pixel_but_not_more(corpus, check, with_section):
    # Given pages at 150 dpi, two of which are narrower
    for form, width in (("a01-001", 599), ("a01-002", 594)):
        corpus.repaint(form, np.asarray(Image.fromarray(corpus.page(form)).resize((width, 400))))

    outcome = check(corpus, with_section("preprocess", dpi=150, canvas_width=640))

    (row,) = [row for row in outcome.summary.expectations if row.name == "resolution"]
    assert row.ids == ("a01-002",)


def test_a_writer_in_two_splits_fails_alone_with_the_forms(corpus, check, failing, small_form):
    corpus.put(small_form("c01-000", "002"))

    outcome = check(corpus)

    assert failing(outcome) == {"disjoint_writers": ["002"]}
    (row,) = [row for row in outcome.summary.expectations if row.name == "disjoint_writers"]
    assert row.found == ("validation: b01-000, b01-001; test: c01-000",)


def test_a_writer_in_two_splits_passes_if_the_parameters_allow_it(corpus, check, with_section, small_form):
    corpus.put(small_form("c01-000", "002"))

    assert check(corpus, with_section("validate_", disjoint_writers=False)).passed


def test_a_form_in_two_splits_is_named(corpus, check, failing):
    corpus.assign("testset", ["b01-000", "c01-000", "c01-001"])

    assert failing(check(corpus))["one_split"] == ["b01-000"]


def test_an_empty_split_fails_alone(corpus, check, failing):
    corpus.assign("testset", [])

    outcome = check(corpus)

    assert failing(outcome) == {"split_filled": ["test"]}
    assert outcome.summary.splits["test"].forms == 0


def test_an_archive_without_any_readable_label_is_reported_and_not_raised(corpus, check, failing):
    names = [name for name in corpus.files if name.startswith("xml/")]
    corpus.files.update(dict.fromkeys(names, b"<form"))

    assert len(failing(check(corpus))["labels_read"]) == 7


def test_a_form_in_no_split_is_checked_and_counted_in_no_split(corpus, check, small_form):
    corpus.put(small_form("d01-000", "000"))
    for split, ids in {"train": ["a01-000", "a01-001"], "validation": ["b01-000", "b01-001"]}.items():
        corpus.files[f"aachen/{split}.txt"] = "\n".join(ids).encode()
    corpus.files["aachen/test.txt"] = b"c01-000\nc01-001"

    outcome = check(corpus, split="aachen")

    assert outcome.passed
    assert outcome.summary.counts.forms == 8
    assert sum(split.forms for split in outcome.summary.splits.values()) == 6
