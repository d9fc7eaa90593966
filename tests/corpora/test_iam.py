"""Archives in the layout of IAM: what is read from a good one, and which error a bad one raises."""

import io
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from text_recognizer.core.errors import DataError
from text_recognizer.core.geometry import Box
from text_recognizer.corpora.iam import IamArchive

SUBSET = Path(__file__).resolve().parents[3] / "shared/data/iam-subset/iamdb.zip"
XML = "xml/a01-000.xml"
PICTURE = "forms/a01-000.png"


@pytest.fixture
def opened(small_archive, tmp_path):
    """Open the small archive after a change to its files."""
    archives = []

    def open_after(**files):
        small_archive.files |= {name: content for name, content in files.items() if content is not None}
        archives.append(IamArchive(small_archive.save(tmp_path / "iamdb.zip")))
        return archives[-1]

    yield open_after
    for archive in archives:
        archive.__exit__(None, None, None)


def labels(lines="", attributes='id="a01-000" writer-id="w0" width="900" height="500"'):
    return f"<form {attributes}><handwritten-part>{lines}</handwritten-part></form>".encode()


def test_a_form_has_its_writer_size_lines_and_boxes(opened, small_form):
    form = opened().form("a01-000")
    assert (form.id, form.writer, form.width, form.height) == ("a01-000", "w0", 900, 500)
    assert form.text == "to be\nor not"
    assert [line.id for line in form.lines] == ["a01-000-00", "a01-000-01"]
    assert [line.box for line in form.lines] == [Box(*box) for box in small_form("any").boxes]
    assert form.box == Box(100, 100, 620, 240)


def test_the_box_of_a_line_bounds_all_its_words(opened):
    words = '<word><cmp x="10" y="20" width="30" height="5"/><cmp x="50" y="12" width="5" height="9"/></word><word/>'
    form = opened(**{XML: labels(f'<line id="l" text="x" segmentation="err">{words}</line>')}).form("a01-000")
    assert form.lines[0].box == Box(10, 12, 45, 13)
    assert form.lines[0].segmentation == "err"


def test_a_line_without_components_has_no_box(opened):
    form = opened(**{XML: labels('<line id="l" text="x"/>')}).form("a01-000")
    assert form.lines[0].box is None
    assert form.box is None


def test_quotes_that_are_escaped_twice_are_unescaped(opened):
    line = '<line id="l" text="&amp;quot;Don&amp;apos;t&amp;quot; &amp;amp;  go"/>'
    assert opened(**{XML: labels(line)}).form("a01-000").text == '"Don\'t" & go'


def test_lwitlrt_merges_both_validation_sets_and_assigns_unlisted_forms_to_training(opened, small_form):
    stray = small_form("z99-000")
    archive = opened(**{"xml/z99-000.xml": stray.xml(), "forms/z99-000.png": b"picture"})
    assert archive.splits("lwitlrt") == {
        "train": ["a01-000", "a01-001", "z99-000"],
        "validation": ["b01-000", "b01-001"],
        "test": ["c01-000"],
    }


def test_aachen_leaves_unlisted_forms_out(opened):
    lists = {"train": "a01-000\nq99-999", "validation": "b01-000", "test": "c01-000\n"}
    archive = opened(**{f"aachen/{name}.txt": text.encode() for name, text in lists.items()})
    assert archive.splits("aachen") == {"train": ["a01-000"], "validation": ["b01-000"], "test": ["c01-000"]}


def test_a_list_with_a_mark_and_other_line_ends_names_the_same_forms(opened):
    lists = {"train": "a01-000\r\na01-001\r\n", "validation": "b01-000", "test": "c01-000"}
    plain = opened(**{f"aachen/{name}.txt": text.encode() for name, text in lists.items()}).splits("aachen")
    marked = opened(**{f"aachen/{name}.txt": text.encode("utf-8-sig") for name, text in lists.items()})
    assert marked.splits("aachen") == plain
    assert plain["train"] == ["a01-000", "a01-001"]


def test_a_list_that_is_not_utf_8_is_named(opened):
    archive = opened(**{f"aachen/{name}.txt": b"a01-000\xff" for name in ("train", "validation", "test")})
    with pytest.raises(DataError, match=r"aachen/train\.txt is not UTF-8"):
        archive.splits("aachen")


def test_a_missing_list_is_named(opened):
    with pytest.raises(DataError) as caught:
        opened().splits("aachen")
    assert "iamdb.zip has no aachen/train.txt" in caught.value.what
    assert "data.sources" in caught.value.fix


@pytest.mark.parametrize(("kind", "dpi"), [("PNG", 300), ("PNG", 100), ("JPEG", 150)])
def test_pictures_of_any_format_and_resolution_are_read_as_grey(small_archive, small_form, tmp_path, kind, dpi):
    form = small_form("a01-000", dpi=dpi)
    small_archive.put(form, kind)
    with IamArchive(small_archive.save(tmp_path / "iamdb.zip")) as archive:
        picture = archive.picture("a01-000")
    assert picture.dtype == np.uint8
    assert picture.shape == (round(500 * dpi / 300), round(900 * dpi / 300))
    assert np.abs(picture.astype(int) - np.asarray(form.page())).max() <= (60 if kind == "JPEG" else 0)


def test_a_form_without_labels_or_picture_has_an_id_but_is_no_complete_form(opened):
    archive = opened(**{"xml/x01-000.xml": b"<form/>", "forms/y01-000.jpg": b"picture"})
    assert "x01-000" in archive.label_ids
    assert "y01-000" in archive.picture_ids
    assert not {"x01-000", "y01-000"} & set(archive.form_ids)


def test_the_hidden_files_that_macos_adds_to_a_zip_are_ignored(opened):
    archive = opened(**{"forms/._a01-000.png": b"attributes", "xml/._a01-000.xml": b"attributes"})
    assert archive.form_ids
    assert [form_id for form_id in archive.form_ids if form_id.startswith(".")] == []


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", "not well-formed"),
        (b"<form", "not well-formed"),
        (b"\x00\x01", "not well-formed"),
        (b'<?xml version="1.0" encoding="nonsense"?><form/>', "encoding|not well-formed"),
        (labels(attributes='id="a01-000"'), "width"),
        (labels(attributes='id="a" writer-id="w" width="0" height="5"'), "0 x 5"),
        (labels(attributes='id="a" writer-id="w" width="wide" height="5"'), "'wide'"),
        (labels('<line id="l"/>'), "'text'"),
        (labels('<line id="l" text="x"><word><cmp x="1" y="2" width="3"/></word></line>'), "'height'"),
        (labels('<line id="l" text="x"><cmp x="1.5" y="2" width="3" height="4"/></line>'), "1.5"),
    ],
)
def test_labels_with_an_error_are_named_with_the_error(opened, content, error):
    with pytest.raises(DataError, match=error) as caught:
        opened(**{XML: content}).form("a01-000")
    assert f"iamdb/{XML}" in caught.value.what
    assert caught.value.fix


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n", None])
def test_a_damaged_picture_is_named(opened, small_archive, content):
    whole = small_archive.files[PICTURE]
    archive = opened(**{PICTURE: whole[: len(whole) // 2] if content is None else content})
    with pytest.raises(DataError) as caught:
        archive.picture("a01-000")
    assert f"iamdb/{PICTURE}" in caught.value.what
    assert caught.value.fix


def test_a_missing_form_is_named(opened):
    archive = opened()
    with pytest.raises(DataError, match=r"has no xml/q00-000\.xml"):
        archive.form("q00-000")
    with pytest.raises(DataError, match=r"has no forms/q00-000\.jpg\|png"):
        archive.picture("q00-000")


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA], ids=str
)
@pytest.mark.parametrize("place", [2, 20, 60])
def test_a_member_with_damaged_bytes_is_named(small_archive, tmp_path, method, place):
    path = tmp_path / "iamdb.zip"
    with zipfile.ZipFile(path, "w") as target:
        for name, content in small_archive.files.items():
            target.writestr(name, content, method if name == XML else zipfile.ZIP_STORED)
        start = target.getinfo(XML).header_offset + 30 + len(XML)
    content = bytearray(path.read_bytes())
    content[start + place : start + place + 4] = b"\xff\x00\xff\x00"
    path.write_bytes(content)
    with IamArchive(path) as archive, pytest.raises(DataError, match=XML):
        archive.form("a01-000")


@pytest.mark.parametrize(("offset", "value"), [(8, 1), (10, 99)], ids=["encrypted", "unknown compression"])
def test_a_member_that_cannot_be_decompressed_is_named(small_archive, tmp_path, offset, value):
    path = small_archive.save(tmp_path / "iamdb.zip")
    content = bytearray(path.read_bytes())
    for record in _central_records(content):
        struct.pack_into("<H", content, record + offset, value)
    path.write_bytes(content)
    with IamArchive(path) as archive, pytest.raises(DataError, match=XML):
        archive.form("a01-000")


def _central_records(content):
    start = content.find(b"PK\x01\x02")
    while start >= 0:
        yield start
        start = content.find(b"PK\x01\x02", start + 4)


def test_any_changed_byte_of_the_directory_raises_nothing_but_a_data_error(small_archive, tmp_path):
    # Change every byte of the first two entries of the directory, in two ways.
    path = small_archive.save(tmp_path / "iamdb.zip")
    whole = path.read_bytes()
    start = whole.find(b"PK\x01\x02")
    for place in range(start, start + 140):
        for value in (0x00, 0xFF):
            content = bytearray(whole)
            content[place] = value
            # Reading the archive then succeeds or raises a DataError, and nothing else.
            _read_all(io.BytesIO(content))


def _read_all(stream):
    try:
        with IamArchive(stream) as archive:
            archive.splits("lwitlrt")
            archive.form("a01-000")
            archive.picture("a01-000")
    except DataError:
        pass


def test_the_real_subset_is_read():
    if not SUBSET.is_file():
        pytest.skip(f"no real IAM subset at {SUBSET}")
    with IamArchive(SUBSET) as archive:
        splits = archive.splits("aachen")
        form = archive.form(splits["test"][0])
        picture = archive.picture(form.id)
    assert {split: len(ids) for split, ids in splits.items()} == {"train": 498, "validation": 37, "test": 64}
    assert form.lines
    assert form.box.right <= form.width
    assert picture.shape == (1771, 1239)
