"""One fault at a time in packed lines that have no other: its own expectation fails and names the line, no other."""

from dataclasses import replace

import numpy as np
import pytest

from text_recognizer.data.packed_lines import Line, writing
from text_recognizer.errors import DataError
from text_recognizer.validation import check_crops, line_crops, run

COUNTS = {"train": 3, "validation": 1, "test": 1}
NAME = "train1-00"


@pytest.fixture
def section(small_crops):
    return small_crops.model_copy(update={"lines": 32})


@pytest.fixture
def packs():
    """Lines of every split, free to be changed before they are saved."""
    generator = np.random.default_rng(1)
    return {split: [drawn(f"{split}{n}", generator) for n in range(count)] for split, count in COUNTS.items()}


def drawn(form, generator):
    picture = np.where(generator.random((32, 200)) < 0.1, 0, 255).astype(np.uint8)
    return picture, Line(f"{form}-00", form, "w1", "to be or not", (10, 10, 400, 60), (200, 32))


def save(packs, folder):
    for split, lines in packs.items():
        with writing(folder, split, 32) as add:
            for picture, line in lines:
                add(picture, line)


@pytest.fixture
def failing(packs, section, tmp_path, monkeypatch):
    """Of each failed expectation the ids of the lines that fail it; here where none are tolerated."""
    monkeypatch.setattr(line_crops, "MOSTLY", 1.0)

    def rows():
        save(packs, tmp_path)
        frame, rules = line_crops.build(tmp_path), line_crops.rules(section)
        found = run.expectation_rows(rules, run.check({line_crops.SUITE: frame}, rules), {line_crops.SUITE: len(frame)})
        return {row["name"]: row["ids"] for row in found if not row["passed"]}

    return rows


def relabel(packs, **values):
    picture, line = packs["train"][1]
    packs["train"][1] = picture, replace(line, **values)


def repaint(packs, picture):
    line = packs["train"][1][1]
    packs["train"][1] = picture, replace(line, size=(picture.shape[1], 32))


FAULTS = {
    "line_crop_ids_unique": (lambda packs: relabel(packs, id="train0-00"), ["train0-00", "train0-00"]),
    "line_crops_differ": (lambda packs: repaint(packs, packs["test"][0][0]), ["test0-00", NAME]),
    "line_crop_writer": (lambda packs: relabel(packs, writer=" "), [NAME]),
    "line_crop_text": (lambda packs: relabel(packs, text="3 \u20ac"), [NAME]),
    "line_crop_ink": (lambda packs: repaint(packs, np.full((32, 200), 255, np.uint8)), [NAME]),
    "line_crop_paper": (lambda packs: repaint(packs, np.minimum(packs["train"][1][0], 220)), [NAME]),
    "line_crop_width": (lambda packs: repaint(packs, np.tile(packs["train"][1][0], 6)), [NAME]),
}


def test_good_lines_pass(failing):
    assert failing() == {}


@pytest.mark.parametrize("expectation", FAULTS)
def test_a_fault_in_the_lines_fails_its_expectation_alone(packs, failing, expectation):
    spoil, rows = FAULTS[expectation]
    spoil(packs)
    assert failing() == {expectation: rows}


@pytest.mark.parametrize("text", ["", "two\nlines"])
def test_a_text_that_is_not_one_line_fails(packs, failing, text):
    relabel(packs, text=text)
    assert failing() == {"line_crop_text": [NAME]}


def test_a_faulty_line_stops_the_stage_and_is_shown(packs, section, printed_split, tmp_path):
    # Given sound pages, and a line beside them that has no text
    relabel(packs, text="")
    (tmp_path / "packs").mkdir()
    save(packs, tmp_path / "packs")
    for split, first in (("train", "to be"), ("validation", "a sea"), ("test", "so it")):
        printed = printed_split([(first, "goes")])
        page = replace(printed.pages[0], id=split, size=(128, 64), dpi=50.0)
        replace(printed, pages=(page,)).save(tmp_path / "packs", split)
    # When the packs are checked
    with pytest.raises(DataError, match=f"does not know: {NAME} "):
        check_crops(tmp_path / "packs", section, tmp_path / "docs")
    # Then the site has the line's picture
    assert (tmp_path / f"docs/pictures/line_crops-{NAME}.jpg").is_file()
