"""Pages of other formats become forms of the lines that were found on them, which are packed like forms of IAM."""

import json
import zipfile

import numpy as np
import pytest
from tests.preprocess.numbered_pages import write_pages
from tests.sources import data_of, entry_of

from text_recognizer.core.errors import DataError
from text_recognizer.corpora.iam import IamArchive
from text_recognizer.corpora.left_out import read_left_out
from text_recognizer.corpora.opening_corpora import open_corpus
from text_recognizer.corpora.packed_pages import PackedSplit
from text_recognizer.corpora.page_sources import PageSource
from text_recognizer.pages.strips import STRIP_HEIGHT
from text_recognizer.preprocess import Sources, locally, pack
from text_recognizer.preprocess.found_archive import SHEET_LINES
from text_recognizer.preprocess.found_lines import UNUSABLE, write_found_lines
from text_recognizer.preprocess.line_alignment import Reason
from text_recognizer.preprocess.line_packing import ReadStrip

TEXTS = {
    "p 1": "the first line\nand another",
    "p-2": 'some words & a quote"',
    "p_2": "three lines of\ntext on a\npage",
    "p3": "\n".join(f"line number {number} is here" for number in range(SHEET_LINES + 2)),
}
LISTS = {"validation.list": "p-2\n", "test.list": "p_2\n"}


def read(rgb):
    """Read a page, whose grey is its number, as if every line were there, with a misread first character."""
    texts = list(TEXTS.values())[(int(rgb[0, 0, 0]) - 100) // 10].split("\n")
    pixels = np.full((STRIP_HEIGHT, 400), 255, dtype=np.uint8)
    pixels[30:60, 30:370:7] = 40
    return [ReadStrip(pixels, "x" + text[1:]) for text in texts]


@pytest.fixture
def folder(tmp_path):
    folder = write_pages(tmp_path / "pages", TEXTS)
    for name, text in LISTS.items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def found(folder, tmp_path):
    """Find the lines of the folder. Return the archive and what was found."""

    def find(split="lists", form="text"):
        with open_corpus(folder, form) as corpus:
            entry = entry_of(folder, split, format=form, name="mine")
            return tmp_path / "mine.zip", write_found_lines(corpus, entry, read, tmp_path / "mine.zip")

    return find


def test_pages_are_forms_in_the_parts_of_their_lists(found):
    archive, counts = found()
    with IamArchive(archive) as iam:
        parts = iam.splits("aachen")
        texts = {form_id: iam.form(form_id).text for form_id in iam.form_ids}
        writers = {form_id: iam.form(form_id).writer for form_id in iam.form_ids}
    assert parts == {"train": ["mine-p3", "mine-p3_2", "mine-p_1"], "validation": ["mine-p_2"], "test": ["mine-p_2_2"]}
    assert texts["mine-p_1"] == TEXTS["p 1"]
    assert texts["mine-p_2"] == TEXTS["p-2"]
    assert f"{texts['mine-p3']}\n{texts['mine-p3_2']}" == TEXTS["p3"]
    assert writers["mine-p3"] == writers["mine-p3_2"] == "mine: p3"
    assert (counts.num_pages, counts.num_sheets, counts.num_lines, counts.unlisted) == (4, 5, SHEET_LINES + 8, 0)


def test_each_line_lies_where_its_strip_is(found):
    with IamArchive(found()[0]) as iam:
        form, picture = iam.form("mine-p_1"), iam.picture("mine-p_1")
    assert (form.width, form.height) == (2 * picture.shape[1], 2 * picture.shape[0])
    for number, line in enumerate(form.lines):
        inked = np.flatnonzero((picture[number * STRIP_HEIGHT : (number + 1) * STRIP_HEIGHT] < 100).any(axis=1))
        assert line.box.y <= 2 * (number * STRIP_HEIGHT + inked[0])
        assert 2 * (number * STRIP_HEIGHT + inked[-1]) <= line.box.bottom
        assert line.box.right <= form.width


def test_the_same_pages_give_the_same_bytes(found):
    first = found()[0].read_bytes()
    assert found()[0].read_bytes() == first


def test_what_is_left_out_is_listed_with_a_picture_of_its_page(found, folder):
    (folder / "p 1.txt").write_text("the first line\nnothing of the kind\n")
    (folder / "p-2.png").write_bytes(b"no picture")
    archive, counts = found()
    rows = read_left_out(archive)
    assert [(row.page, row.part, row.text, row.reason) for row in rows[:2]] == [
        ("p 1", "train", "nothing of the kind", Reason.NO_STRIP),
        ("p 1", "train", "xnd another", Reason.NO_LINE),
    ]
    assert (rows[2].page, rows[2].text, rows[2].picture) == ("p-2", None, "")
    assert "p-2.png" in rows[2].reason
    assert counts.left_out == {Reason.NO_STRIP: 1, Reason.NO_LINE: 1, UNUSABLE: 1}
    with zipfile.ZipFile(archive) as members:
        assert members.read(rows[0].picture)[:2] == b"\xff\xd8"


def test_pictures_of_lines_share_forms_by_their_writers(found, folder):
    for name in list(LISTS):
        (folder / name).unlink()
    rows = [("p 1.png", "the first line", "anna"), ("p-2.png", TEXTS["p-2"], ""), ("p_2.png", "three lines of", "anna")]
    (folder / "lines.jsonl").write_text(
        "".join(json.dumps({"file_name": n, "text": t, "writer": w, "split": "train"}) + "\n" for n, t, w in rows)
    )
    with IamArchive(found("own", "lines")[0]) as iam:
        forms = [iam.form(form_id) for form_id in iam.form_ids]
    assert [(form.id, form.writer, form.text) for form in forms] == [
        ("mine-anna", "mine: anna", "the first line\nthree lines of"),
        ("mine-lines", "mine: p-2", TEXTS["p-2"]),
    ]


def test_a_source_without_any_line_is_refused_and_leaves_no_archive(found, folder, tmp_path):
    for name in TEXTS:
        (folder / f"{name}.txt").write_text("nothing of the kind")
    with pytest.raises(DataError) as caught:
        found()
    assert str(folder) in caught.value.what
    assert not (tmp_path / "mine.zip").exists()


def test_found_lines_are_packed_with_forms_of_iam_and_name_their_source(found, small_archive, params, tmp_path):
    archive, _ = found()
    mine = entry_of("pages", "lists", format="text", name="mine", weight=3.0, counts_in_gate=False)
    iam = entry_of("iamdb.zip", name="iam")
    sources = (PageSource(iam, small_archive.save(tmp_path / "iam.zip")), PageSource(mine, archive))
    size = {"dpi": 75, "canvas_height": 576, "canvas_width": 640, "line_height": 0}
    section = params.preprocess.model_copy(update=size)
    counts = pack(Sources(sources, data_of(iam, mine)), section, tmp_path / "out", locally(1)).counts
    assert counts == {"train": 5, "validation": 3, "test": 2}
    train = PackedSplit.open(tmp_path / "out", "train")
    assert [(page.id, page.source) for page in train.pages] == [
        ("a01-000", "iam"), ("a01-001", "iam"), ("mine-p3", "mine"), ("mine-p3_2", "mine"), ("mine-p_1", "mine"),
    ]  # fmt: skip
    assert train.weights.tolist() == [1, 1, 3, 3, 3]
    assert train.source == "archive"
    test = PackedSplit.open(tmp_path / "out", "test")
    assert [page.source for page in test.counted().pages] == ["iam"]
    assert len(test.counted().canvases) == 1
