"""The sample is an archive in IAM's layout, whole or not there, and its labels say what stands on its pages."""

import os
import signal
import subprocess
import sys
import zipfile
from xml.etree import ElementTree

import numpy as np
import pytest

from text_recognizer.data.iam import IamArchive
from text_recognizer.data.synthetic import plan, strokes, write_corpus
from text_recognizer.data.synthetic.sheet import CLEAR, HEADER_RULE
from text_recognizer.errors import ConfigError, DataError
from text_recognizer.text import unknown

DARK = 150  # a grey between any ink and any paper of the sample


def lines_of(path):
    """(form id, XML line, its tokens with their boxes as (x, y, right, bottom))."""
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.endswith(".xml"):
                root = ElementTree.fromstring(archive.read(name))
                for line in root.iterfind("handwritten-part/line"):
                    yield root.attrib["id"], line, [(word, [edges(cmp) for cmp in word]) for word in line]


def edges(cmp):
    x, y, width, height = (int(cmp.attrib[key]) for key in ("x", "y", "width", "height"))
    return x, y, x + width, y + height


def ink_outside_the_boxes(path, scale, top):
    """Share of each form's dark pixels below `top` that no box holds."""
    with IamArchive(path) as archive:
        for form_id in archive.form_ids:
            dark = archive.picture(form_id) < DARK
            form = archive.form(form_id)
            region = dark[int(top(form) * scale) : int((form.box.bottom + CLEAR - 2) * scale)].copy()
            total = region.sum()
            for _, _, tokens in (line for line in lines_of(path) if line[0] == form_id):
                for x, y, right, bottom in (box for _, boxes in tokens for box in boxes):
                    rows = slice(int((y - int(top(form))) * scale) - 1, int((bottom - int(top(form))) * scale) + 2)
                    region[max(0, rows.start) : rows.stop, int(x * scale) : int(right * scale) + 1] = False
            yield region.sum() / total


def test_the_reader_of_iam_finds_every_form_in_its_split(small_zip, section):
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


def test_forms_in_the_archive_have_the_planned_writers(small_zip, section):
    with IamArchive(small_zip) as archive:
        written = {form_id: archive.form(form_id).writer for form_id in archive.form_ids}
    assert set(written.values()) == {writer.id for writer in plan(section())}


def test_validation_writers_stand_in_one_half_each(small_zip):
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
    assert [row.split()[0] for row in tables["lines"]] == [line.attrib["id"] for _, line, _ in lines]
    assert len(tables["words"]) == sum(len(tokens) for _, _, tokens in lines)


def test_a_lines_text_is_its_words(small_zip):
    for _, line, tokens in lines_of(small_zip):
        assert line.attrib["text"].replace(" ", "") == "".join(word.attrib["text"] for word, _ in tokens)


def test_quotes_survive_being_escaped_twice(section, tmp_path):
    write_corpus(section(train_forms=30), tmp_path / "iamdb.zip")
    raw = [line.attrib["text"] for _, line, _ in lines_of(tmp_path / "iamdb.zip")]
    with IamArchive(tmp_path / "iamdb.zip") as archive:
        read = "".join(archive.form(form_id).text for form_id in archive.form_ids)
    assert any("&quot;" in text for text in raw)
    assert '"' in read
    assert "quot" not in read


def test_texts_are_in_the_charset(small_zip):
    with IamArchive(small_zip) as archive:
        assert not unknown("".join(archive.form(form_id).text for form_id in archive.form_ids))


def test_boxes_lie_on_the_form(small_zip):
    for _, _, tokens in lines_of(small_zip):
        for _, boxes in tokens:
            assert boxes
            for x, y, right, bottom in boxes:
                assert 0 <= x < right <= 1240
                assert HEADER_RULE + CLEAR / 2 < y < bottom <= 1000


def test_every_box_holds_ink(small_zip):
    with IamArchive(small_zip) as archive:
        pictures = {form_id: archive.picture(form_id) for form_id in archive.form_ids}
    for form_id, _, tokens in lines_of(small_zip):
        for x, y, right, bottom in (box for _, boxes in tokens for box in boxes):
            patch = pictures[form_id][y // 2 : bottom // 2, x // 2 : right // 2]
            assert patch.min() < patch.max() - 40


def test_no_ink_lies_outside_the_boxes(small_zip):
    outside = list(ink_outside_the_boxes(small_zip, 0.5, lambda _: HEADER_RULE + 10))
    assert len(outside) == 16
    assert max(outside) < 0.01


def test_a_full_size_form_has_a_prompt_and_a_full_paragraph(full_size_zip):
    with IamArchive(full_size_zip) as archive:
        form = archive.form(archive.form_ids[0])
        picture = archive.picture(archive.form_ids[0])
    with zipfile.ZipFile(full_size_zip) as archive:
        root = ElementTree.fromstring(archive.read(f"iamdb/xml/{form.id}.xml"))
    assert picture.shape == (3542, 2479)
    assert len(form.lines) in (9, 10)
    assert root.find("machine-printed-part")[0].attrib["text"].split()[0] == form.text.split()[0]
    assert (picture[: form.box.y] < DARK).sum() > 10_000


def test_the_crop_of_a_full_size_form_holds_no_print(full_size_zip):
    outside = ink_outside_the_boxes(full_size_zip, 1.0, lambda form: form.box.y - CLEAR / 2)
    assert max(outside) < 0.01


def test_bytes_are_the_same_on_any_number_of_workers(small_zip, section, tmp_path):
    write_corpus(section(workers=2), tmp_path / "iamdb.zip")
    assert (tmp_path / "iamdb.zip").read_bytes() == small_zip.read_bytes()


def test_another_seed_gives_other_texts(small_zip, section, tmp_path):
    write_corpus(section(seed=2), tmp_path / "iamdb.zip")
    texts = []
    for path in (small_zip, tmp_path / "iamdb.zip"):
        with IamArchive(path) as archive:
            texts.append([archive.form(form_id).text for form_id in archive.form_ids])
    assert not set(texts[0]) & set(texts[1])


def test_the_licences_travel_with_the_sample(small_zip):
    with zipfile.ZipFile(small_zip) as archive:
        notice = archive.read("iamdb/README.txt").decode()
    for words in ("SIL OPEN FONT LICENSE", "Apache License", "hand53"):
        assert words in notice


@pytest.mark.parametrize(("height", "lines", "fit"), [(1000, 5, 4), (400, 2, 1), (3542, 20, 12)])
def test_a_page_too_low_for_its_lines_is_refused_before_anything_is_written(section, tmp_path, height, lines, fit):
    with pytest.raises(ConfigError, match=f"holds {fit} handwritten lines at most"):
        write_corpus(section(page_height=height, lines_max=lines), tmp_path / "iamdb.zip")
    assert not list(tmp_path.iterdir())


def test_missing_strokes_are_named(section, tmp_path, monkeypatch):
    monkeypatch.setattr(strokes, "ASSETS", tmp_path / "nowhere")
    strokes.load_hands.cache_clear()
    with pytest.raises(DataError, match=r"strokes\.npz is missing"):
        write_corpus(section(), tmp_path / "iamdb.zip")
    assert not (tmp_path / "iamdb.zip").exists()


def test_damaged_strokes_are_named(section, tmp_path, monkeypatch):
    monkeypatch.setattr(strokes, "ASSETS", tmp_path)
    strokes.load_hands.cache_clear()
    (tmp_path / "strokes.npz").write_bytes(b"PK\x03\x04 cut short")
    with pytest.raises(DataError, match=r"strokes\.npz is damaged"):
        write_corpus(section(), tmp_path / "iamdb.zip")


def test_ctrl_c_leaves_the_old_file_and_no_process(small_zip, tmp_path):
    out = tmp_path / "iamdb.zip"
    out.write_bytes(small_zip.read_bytes())
    code = (
        "from pathlib import Path; from text_recognizer.config import SyntheticSection as S;"
        "from text_recognizer.data.synthetic import write_corpus;"
        "write_corpus(S(seed=3, train_forms=9000, validation_forms=1, test_forms=1, forms_per_writer=2,"
        f"page_width=1240, page_height=1000, lines_min=1, lines_max=3, dpi=150, workers=2), Path({str(out)!r}))"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, start_new_session=True)
    while b"1/9002" not in (seen := child.stderr.read(20)) and seen:
        pass
    os.killpg(child.pid, signal.SIGINT)
    # stderr ends only when the last process that holds it has ended
    assert b"KeyboardInterrupt" in child.communicate(timeout=60)[1]
    assert out.read_bytes() == small_zip.read_bytes()
    assert list(tmp_path.iterdir()) == [out]


def test_pictures_are_light_paper_with_dark_ink(small_zip):
    with IamArchive(small_zip) as archive:
        pictures = np.stack([archive.picture(form_id) for form_id in archive.form_ids])
    assert (np.median(pictures, axis=(1, 2)) > 220).all()
    assert (pictures.min(axis=(1, 2)) < 110).all()
