"""Lines of transcribed pages are packed to train on: never those of test pages, and only those whose text is known."""

import numpy as np
import pytest
from tests.preprocess.numbered_pages import write_pages

from text_recognizer.core.errors import ConfigError, DataError
from text_recognizer.corpora.packed_pages import PackedSplit
from text_recognizer.pages.strips import STRIP_HEIGHT
from text_recognizer.preprocess.line_alignment import Reason
from text_recognizer.preprocess.line_packing import LineSources, ReadStrip, pack_lines
from text_recognizer.preprocess.line_sources import list_pages

TEXTS = {"p1": "the first line\nand another", "p2": "some words here", "p3": "three lines of\ntext on a\npage"}


@pytest.fixture
def folder(tmp_path):
    """A folder of three pages. The grey of a page is its number, so that the fake reader knows it."""
    return write_pages(tmp_path / "pages", TEXTS)


@pytest.fixture
def section(params):
    shape = {"dpi": 150, "canvas_height": 192, "canvas_width": 320, "line_height": 0}
    return params.preprocess.model_copy(update=shape)


def read(rgb):
    """Read a page of `folder`, as if every line were there, in reverse order, with a misread first character."""
    texts = list(TEXTS.values())[(int(rgb[0, 0, 0]) - 100) // 10].split("\n")
    pixels = np.full((STRIP_HEIGHT, 200), 255, dtype=np.uint8)
    return [ReadStrip(pixels, "x" + text[1:]) for text in reversed(texts)]


def lines_of(out, split):
    return sorted(line for text in PackedSplit.open(out, split).texts for line in text.split("\n"))


def test_lists_divide_a_folder_and_test_pages_are_left_out(folder, section, tmp_path):
    (folder / "validation.list").write_text("p2\n")
    (folder / "test.list").write_text("p3\n")
    packed = pack_lines(LineSources((folder,)), section, read, tmp_path / "out")

    assert lines_of(tmp_path / "out", "train") == ["and another", "the first line"]
    assert lines_of(tmp_path / "out", "validation") == ["some words here"]
    assert not list((tmp_path / "out").glob("test*"))
    assert "train: 2 lines of 1 pages on 1 canvases" in packed.summary()


def test_a_train_list_names_the_training_pages(folder):
    (folder / "train.list").write_text("p3\np1.png\n")
    assert [page.id for page in list_pages([folder], "aachen", "train", unlisted=True)] == ["p3", "p1"]
    assert list_pages([folder], "aachen", "validation", unlisted=False) == []


def test_the_same_seed_packs_the_same_bytes(folder, section, tmp_path):
    (folder / "validation.list").write_text("p2\n")
    for name in ("one", "two"):
        pack_lines(LineSources((folder,)), section, read, tmp_path / name, seed=5)
    one, two = ({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("one", "two"))
    assert len(one) == 5
    assert one == two


def test_lines_that_cannot_be_used_are_counted_by_reason(folder, section, tmp_path):
    (folder / "validation.list").write_text("p2\n")
    (folder / "p1.txt").write_text("the first l€ne\nand another\na line that is not there")
    packed = pack_lines(LineSources((folder,)), section, read, tmp_path / "out")

    reasons = {one.reason for one in packed.parts["train"].left_out}
    assert reasons == {Reason.UNKNOWN_CHARACTERS, Reason.NO_STRIP}
    assert f"left out 1: {Reason.UNKNOWN_CHARACTERS}" in packed.summary()


def test_characters_outside_the_charset_and_accents_are_counted(folder, section, tmp_path):
    (folder / "validation.list").write_text("p2\n")
    (folder / "p1.txt").write_text("the first l€ne\nánd anöther\n")
    part = pack_lines(LineSources((folder,)), section, read, tmp_path / "out").parts["train"]

    assert lines_of(tmp_path / "out", "train")[0] == "and another"
    assert (part.unaccented, part.unknown) == ({"á": 1, "ö": 1}, {"€": 1})
    assert "€ 1" in part.summary("train")
    assert "á 1, ö 1" in part.summary("train")


def test_a_damaged_picture_is_left_out_and_named(folder, section, tmp_path):
    (folder / "validation.list").write_text("p2\n")
    (folder / "p3.png").write_bytes(b"not a picture")
    packed = pack_lines(LineSources((folder,)), section, read, tmp_path / "out")

    assert list(packed.parts["train"].faults) == [f"{folder}: p3"]
    assert str(folder / "p3.png") in packed.parts["train"].faults[f"{folder}: p3"]
    assert len(packed.parts["train"].strips) == 2


def test_forms_of_an_archive_are_cropped_and_some_stay_whole_pages(small_archive, section, tmp_path):
    archive = small_archive.save(tmp_path / "iamdb.zip")

    def read_form(_):
        pixels = np.full((STRIP_HEIGHT, 200), 255, dtype=np.uint8)
        return [ReadStrip(pixels, "to be"), ReadStrip(pixels, "or mot")]

    section = section.model_copy(update={"canvas_height": 288, "canvas_width": 480})
    packed = pack_lines(LineSources((archive,), page_share=0.5, split="lwitlrt"), section, read_form, tmp_path / "out")

    assert packed.parts["train"].num_pages == 2
    assert len(packed.parts["train"].whole) == 1
    assert packed.parts["validation"].whole == []
    train = PackedSplit.open(tmp_path / "out", "train")
    assert sorted(page.text for page in train.pages if page.id.startswith("a01")) == ["to be\nor not"]
    assert lines_of(tmp_path / "out", "validation") == ["or not", "or not", "to be", "to be"]


@pytest.mark.parametrize(
    ("lists", "what"),
    [
        ({}, "validation split"),
        ({"train": "p1", "validation": "p1"}, "both name p1"),
        ({"train": "p9", "validation": "p1"}, "p9"),
    ],
)
def test_sources_that_cannot_be_divided_are_refused(folder, section, tmp_path, lists, what):
    for part, names in lists.items():
        (folder / f"{part}.list").write_text(names)
    with pytest.raises(DataError, match=what):
        pack_lines(LineSources((folder,)), section, read, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_page_in_both_splits_is_refused(folder, section, tmp_path):
    with pytest.raises(DataError, match="3 pages are both"):
        pack_lines(LineSources((folder,), (folder,)), section, read, tmp_path / "out")


def test_a_picture_without_text_is_refused(folder):
    (folder / "p1.txt").unlink()
    with pytest.raises(DataError, match=r"p1\.png has no text"):
        list_pages([folder], "aachen", "train", unlisted=True)


def test_texts_that_fit_no_page_are_refused(folder, section, tmp_path):
    (folder / "validation.list").write_text("p2\n")
    with pytest.raises(DataError, match="no lines for the train split"):
        pack_lines(LineSources((folder,)), section, lambda _: [], tmp_path / "out")


def test_canvases_of_another_resolution_are_refused(folder, section, tmp_path):
    with pytest.raises(ConfigError):
        pack_lines(LineSources((folder,)), section.model_copy(update={"dpi": 60}), read, tmp_path / "out")


def test_a_folder_with_other_files_is_not_replaced(folder, section):
    with pytest.raises(ConfigError, match="would be replaced"):
        pack_lines(LineSources((folder,)), section, read, folder)
    assert len(list(folder.iterdir())) == 6
