"""The synthetic forms are an archive in IAM's layout whose labels fit its pages, written completely or not at all."""

import hashlib
import os
import signal
import subprocess
import sys
import zipfile
from xml.etree import ElementTree

import numpy as np
import pytest

from text_recognizer.core.charset import unknown_characters
from text_recognizer.core.errors import ConfigError, DataError
from text_recognizer.corpora.iam import IamArchive
from text_recognizer.synthetic import plan, strokes, write_corpus
from text_recognizer.synthetic.sheet import CLEAR, HEADER_RULE

DARK = 150  # a grey level between every ink and every paper of the synthetic forms


def lines_of(path):
    """Yield each line of an archive: the form id, the XML element, and its words with their boxes as edges."""
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.endswith(".xml"):
                root = ElementTree.fromstring(archive.read(name))
                for line in root.iterfind("handwritten-part/line"):
                    yield root.attrib["id"], line, [(word, [edges(cmp) for cmp in word]) for word in line]


def edges(cmp):
    """Return a component's left, top, right and bottom edge in pixels at 300 dpi."""
    x, y, width, height = (int(cmp.attrib[key]) for key in ("x", "y", "width", "height"))
    return x, y, x + width, y + height


def boxes_of(path):
    """Yield each box of an archive with its form id."""
    for form_id, _, words in lines_of(path):
        for _, boxes in words:
            for box in boxes:
                yield form_id, box


def share_outside_boxes(path, scale, top):
    """Yield for each form the share of its dark pixels below `top(form)` that lie in no box."""
    boxes = list(boxes_of(path))
    with IamArchive(path) as archive:
        for form_id in archive.form_ids:
            dark = archive.picture(form_id) < DARK
            form = archive.form(form_id)
            first = int(top(form))
            region = dark[int(first * scale) : int((form.box.bottom + CLEAR - 2) * scale)].copy()
            total = region.sum()
            for x, y, right, bottom in (box for owner, box in boxes if owner == form_id):
                rows = slice(max(0, int((y - first) * scale) - 1), int((bottom - first) * scale) + 2)
                region[rows, int(x * scale) : int(right * scale) + 1] = False
            yield region.sum() / total


def texts_of(path):
    """Return the texts of all forms of an archive."""
    with IamArchive(path) as archive:
        return [archive.form(form_id).text for form_id in archive.form_ids]


def test_every_form_is_found_in_its_split_with_its_size(small_zip, section):
    with IamArchive(small_zip) as archive:
        splits = archive.splits("lwitlrt")
        shapes = {archive.picture(form_id).shape for form_id in archive.form_ids}
        sizes = {(archive.form(form_id).width, archive.form(form_id).height) for form_id in archive.form_ids}
    asked = section()
    assert {split: len(ids) for split, ids in splits.items()} == {
        "train": asked.train_forms, "validation": asked.validation_forms, "test": asked.test_forms,
    }  # fmt: skip
    assert shapes == {(500, 620)}
    assert sizes == {(1240, 1000)}


def test_forms_have_the_planned_writers(small_zip, section):
    with IamArchive(small_zip) as archive:
        written = {form_id: archive.form(form_id).writer for form_id in archive.form_ids}
    assert set(written.values()) == {writer.id for writer in plan(section())}


def test_each_validation_writer_is_in_one_of_the_two_lists(small_zip):
    with zipfile.ZipFile(small_zip) as archive:
        halves = [archive.read(f"iamdb/task/validationset{half}.txt").decode().split() for half in (1, 2)]
    forms = [{line.rsplit("-", 1)[0] for line in half} for half in halves]
    assert [len(half) for half in forms] == [2, 2]
    assert not forms[0] & forms[1]


def test_tables_count_what_the_xml_holds(small_zip):
    with zipfile.ZipFile(small_zip) as archive:
        tables = {
            name: archive.read(f"iamdb/ascii/{name}.txt").decode().splitlines()[1:] for name in ("lines", "words")
        }
    lines = list(lines_of(small_zip))
    assert lines
    assert [row.split()[0] for row in tables["lines"]] == [line.attrib["id"] for _, line, _ in lines]
    assert len(tables["words"]) == sum(len(words) for _, _, words in lines)


def test_the_text_of_a_line_is_the_text_of_its_words(small_zip):
    lines = list(lines_of(small_zip))
    assert lines
    for _, line, words in lines:
        assert line.attrib["text"].replace(" ", "") == "".join(word.attrib["text"] for word, _ in words)


@pytest.mark.slow
def test_quotes_survive_double_escaping(section, tmp_path):
    write_corpus(section(train_forms=30, validation_forms=1, test_forms=1), tmp_path / "iamdb.zip", workers=1)
    raw = [line.attrib["text"] for _, line, _ in lines_of(tmp_path / "iamdb.zip")]
    read = "".join(texts_of(tmp_path / "iamdb.zip"))
    assert any("&quot;" in text for text in raw)
    assert '"' in read
    assert "quot" not in read


def test_texts_are_in_the_charset(small_zip):
    text = "".join(texts_of(small_zip))
    assert text
    assert not unknown_characters(text)


def test_boxes_lie_on_the_form_below_the_print(small_zip):
    lines = list(lines_of(small_zip))
    assert lines
    assert all(boxes for _, _, words in lines for _, boxes in words)
    for _, (x, y, right, bottom) in boxes_of(small_zip):
        assert 0 <= x < right <= 1240
        assert HEADER_RULE + CLEAR / 2 < y < bottom <= 1000


def test_every_box_holds_ink(small_zip):
    with IamArchive(small_zip) as archive:
        pictures = {form_id: archive.picture(form_id) for form_id in archive.form_ids}
    boxes = list(boxes_of(small_zip))
    assert boxes
    for form_id, (x, y, right, bottom) in boxes:
        patch = pictures[form_id][y // 2 : bottom // 2, x // 2 : right // 2]
        assert patch.min() < patch.max() - 40


def test_no_ink_lies_outside_the_boxes(small_zip):
    outside = list(share_outside_boxes(small_zip, 0.5, lambda _: HEADER_RULE + 10))
    assert len(outside) == 16
    assert max(outside) < 0.01


def test_a_form_of_iams_size_has_a_prompt_and_a_full_paragraph(full_size_zip):
    with IamArchive(full_size_zip) as archive:
        form = archive.form(archive.form_ids[0])
        picture = archive.picture(archive.form_ids[0])
    with zipfile.ZipFile(full_size_zip) as archive:
        root = ElementTree.fromstring(archive.read(f"iamdb/xml/{form.id}.xml"))
    assert picture.shape == (3542, 2479)
    assert len(form.lines) in (9, 10)
    assert root.find("machine-printed-part")[0].attrib["text"].split()[0] == form.text.split()[0]
    assert (picture[: form.box.y] < DARK).sum() > 10_000


def test_the_text_region_of_a_form_of_iams_size_holds_no_print(full_size_zip):
    outside = list(share_outside_boxes(full_size_zip, 1.0, lambda form: form.box.y - CLEAR / 2))
    assert len(outside) == 3
    assert max(outside) < 0.01


@pytest.mark.slow
def test_the_bytes_do_not_depend_on_the_number_of_workers(small_zip, section, tmp_path):
    write_corpus(section(), tmp_path / "iamdb.zip", workers=2)
    assert (tmp_path / "iamdb.zip").read_bytes() == small_zip.read_bytes()


def test_texts_are_those_of_earlier_versions(small_zip):
    """Scores are comparable between versions only if the same section gives the same texts for the same forms."""
    digest = hashlib.sha256("\n\n".join(texts_of(small_zip)).encode()).hexdigest()
    assert digest == "fb1154dd01264f0d176648310b9ab0a9d6235c1d66217226fcdd0d5a9986fd02"


def test_another_seed_gives_other_texts(small_zip, section, tmp_path):
    write_corpus(section(seed=2), tmp_path / "iamdb.zip", workers=1)
    assert not set(texts_of(small_zip)) & set(texts_of(tmp_path / "iamdb.zip"))


def test_the_archive_holds_the_licences_of_every_source_font(small_zip):
    with zipfile.ZipFile(small_zip) as archive:
        notice = archive.read("iamdb/README.txt").decode()
    for words in ("SIL OPEN FONT LICENSE", "Apache License", *(font.name for font in strokes.load_source_fonts())):
        assert words in notice


@pytest.mark.parametrize(("height", "lines", "fit"), [(1000, 5, 4), (400, 2, 1), (3542, 20, 12)])
def test_a_page_too_low_for_its_lines_is_refused_before_anything_is_written(section, tmp_path, height, lines, fit):
    with pytest.raises(ConfigError, match=rf"lines_max = {lines}.* {fit} ") as caught:
        write_corpus(section(page_height=height, lines_max=lines), tmp_path / "iamdb.zip")
    assert caught.value.fix
    assert not list(tmp_path.iterdir())


@pytest.fixture
def assets(tmp_path, monkeypatch):
    """An empty folder in place of the package's assets."""
    folder = tmp_path / "assets"
    folder.mkdir()
    monkeypatch.setattr(strokes, "ASSETS", folder)
    strokes.load_source_fonts.cache_clear()
    yield folder
    strokes.load_source_fonts.cache_clear()


@pytest.mark.parametrize("content", [None, b"PK\x03\x04 cut short"], ids=["missing", "damaged"])
def test_missing_or_damaged_strokes_are_named_and_nothing_is_written(section, assets, tmp_path, content):
    if content:
        (assets / "strokes.npz").write_bytes(content)
    with pytest.raises(DataError, match=r"strokes\.npz") as caught:
        write_corpus(section(), tmp_path / "iamdb.zip")
    assert caught.value.fix
    assert list(tmp_path.iterdir()) == [assets]


@pytest.mark.slow
def test_ctrl_c_keeps_the_old_file_and_leaves_no_process(small_zip, tmp_path):
    out = tmp_path / "iamdb.zip"
    out.write_bytes(small_zip.read_bytes())
    code = (
        # The handler is set here because a test run in the background inherits an ignored SIGINT.
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "from pathlib import Path; from text_recognizer.core.params import SyntheticSection as S;"
        "from text_recognizer.synthetic import write_corpus;"
        "write_corpus(S(seed=3, train_forms=9000, validation_forms=1, test_forms=1, forms_per_writer=2,"
        f"page_width=1240, page_height=1000, lines_min=1, lines_max=3, dpi=150), Path({str(out)!r}), workers=2)"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, start_new_session=True)
    seen = b""
    while b"1/9002" not in seen and (more := child.stderr.read(1)):
        seen += more
    os.killpg(child.pid, signal.SIGINT)
    # The pipe ends only when the last process that holds it has ended.
    assert b"KeyboardInterrupt" in child.communicate(timeout=60)[1]
    assert out.read_bytes() == small_zip.read_bytes()
    assert list(tmp_path.iterdir()) == [out]


def test_pictures_are_light_paper_with_dark_ink(small_zip):
    with IamArchive(small_zip) as archive:
        pictures = np.stack([archive.picture(form_id) for form_id in archive.form_ids])
    assert (np.median(pictures, axis=(1, 2)) > 220).all()
    assert (pictures.min(axis=(1, 2)) < 110).all()
