"""One fault at a time in packs that have no other: its own expectation fails, names the page, and no other does."""

from dataclasses import replace

import numpy as np
import pytest

from text_recognizer.data.packed import PackedSplit
from text_recognizer.errors import DataError
from text_recognizer.validation import check_crops, crops, run

TEXTS = {
    "train": [("to be", "or not"), ("that is", "what"), ("a sea", "of it")],
    "validation": [("by and", "by")],
    "test": [("so it", "goes")],
}
NAME = "train1"


@pytest.fixture
def packs(printed_split):
    """Every split, pages named and measured, free to be changed before they are saved."""
    out = {}
    for split, pages in TEXTS.items():
        printed = printed_split(pages)
        named = [
            replace(page, id=f"{split}{number}", size=(128, 64), dpi=50.0) for number, page in enumerate(printed.pages)
        ]
        out[split] = ([np.array(canvas) for canvas in printed.canvases], named)
    return out


@pytest.fixture
def failing(packs, small_crops, tmp_path):
    """Of each failed expectation, the ids of the pages that fail it; and what is seen of it on the way."""

    def rows():
        save(packs, tmp_path)
        frame, rules = crops.build(tmp_path, small_crops), crops.rules(small_crops)
        results = run.check({crops.SUITE: frame}, rules)
        found = run.expectation_rows(rules, results, {crops.SUITE: len(frame)})
        return {row["name"]: row["ids"] for row in found if not row["passed"]}

    return rows


def save(packs, folder):
    for split, (canvases, pages) in packs.items():
        PackedSplit(np.stack(canvases), tuple(pages)).save(folder, split)


def relabel(packs, **values):
    pages = packs["train"][1]
    pages[1] = replace(pages[1], **values)


def repaint(packs, change):
    canvases = packs["train"][0]
    canvases[1] = change(canvases[1])


def page(packs):
    return packs["train"][1][1]


def shaded(canvas):
    return np.where(canvas == 255, 200, canvas).astype(np.uint8)


def without_second_line(canvas):
    return np.vstack([canvas[:34], np.full_like(canvas[34:], 255)])


FAULTS = {
    "crops_differ": (lambda packs: repaint(packs, lambda _: packs["test"][0][0]), ["test0", NAME]),
    "crop_ids_unique": (lambda packs: relabel(packs, id="train0"), ["train0", "train0"]),
    "crop_writer": (lambda packs: relabel(packs, writer=" "), [NAME]),
    "crop_ink": (lambda packs: repaint(packs, lambda canvas: np.full_like(canvas, 255)), [NAME]),
    "crop_paper": (lambda packs: repaint(packs, shaded), [NAME]),
    "crop_scale": (lambda packs: relabel(packs, dpi=30.0), [NAME]),
    "crop_boxes": (lambda packs: relabel(packs, boxes=page(packs).boxes[:1]), [NAME]),
    "crop_text": (lambda packs: relabel(packs, text="that is\n\u20ac"), [NAME]),
    "crop_boxes_inside": (lambda packs: relabel(packs, boxes=(page(packs).boxes[0], (100, 36, 60, 22))), [NAME]),
    "crop_lines_inked": (lambda packs: repaint(packs, without_second_line), [NAME]),
    "crop_fits_box": (lambda packs: relabel(packs, text="that is\n" + "abcd" * 10), [NAME]),
    "crop_lines_apart": (lambda packs: relabel(packs, boxes=((6, 4, 60, 22), (6, 12, 60, 22))), [NAME]),
}


def test_good_packs_pass(failing):
    assert failing() == {}


@pytest.mark.parametrize("expectation", FAULTS)
def test_a_fault_in_the_crops_fails_its_expectation_alone(packs, failing, expectation):
    spoil, rows = FAULTS[expectation]
    spoil(packs)
    assert failing() == {expectation: rows}


def test_crops_of_another_size_fail_alone(packs, failing):
    for canvases, _ in packs.values():
        canvases[:] = [np.pad(canvas, ((0, 16), (0, 0)), constant_values=255) for canvas in canvases]
    assert failing() == {"crop_canvas": sorted(f"{split}{n}" for split in packs for n in range(len(packs[split][1])))}


def test_a_fault_stops_the_stage_names_the_page_and_shows_it(packs, small_crops, tmp_path):
    relabel(packs, text="that is\n\u20ac")
    (tmp_path / "packs").mkdir()
    save(packs, tmp_path / "packs")

    with pytest.raises(DataError, match=f"does not know: {NAME} \\(line 2 '\u20ac'\\)") as caught:
        check_crops(tmp_path / "packs", small_crops, tmp_path / "docs")

    assert str(tmp_path / "docs" / "index.html") in caught.value.fix
    index = (tmp_path / "docs" / "index.html").read_text(encoding="utf-8")
    assert "3 train, 1 validation, 1 test" in index
    assert f'<img src="pictures/crops-{NAME}.jpg"' in index


def test_good_packs_have_a_site_that_says_so(packs, small_crops, tmp_path):
    (tmp_path / "packs").mkdir()
    save(packs, tmp_path / "packs")

    check_crops(tmp_path / "packs", small_crops, tmp_path / "docs")

    assert "All 13 expectations hold" in (tmp_path / "docs" / "index.html").read_text(encoding="utf-8")
