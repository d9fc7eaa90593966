"""Each fault of a packed page fails its own expectation, names the page, and fails no other expectation."""

from dataclasses import replace

import numpy as np
import pytest

from text_recognizer.core.errors import DataError
from text_recognizer.corpora.packed_pages import PackedSplit
from text_recognizer.validation import check_crops, crop_checks, crop_fault
from text_recognizer.validation.suite_runner import checked_expectations, run_suites

pytestmark = pytest.mark.slow
TEXTS = {
    "train": [("to be", "or not"), *((f"page {number}", "of it") for number in range(1, 13))],
    "validation": [("by and", "by")],
    "test": [("so it", "goes")],
}


class Splits:
    """The canvases and labels of every split. They can be changed before they are saved."""

    def __init__(self, printed_split) -> None:
        self.canvases, self.pages = {}, {}
        for split, texts in TEXTS.items():
            printed = printed_split(texts)
            self.canvases[split] = [np.array(canvas) for canvas in printed.canvases]
            self.pages[split] = [
                replace(page, id=f"{split}{number}", size=(128, 64), dpi=50.0)
                for number, page in enumerate(printed.pages)
            ]

    def relabel(self, number, **values):
        self.pages["train"][number] = replace(self.pages["train"][number], **values)

    def repaint(self, number, change):
        self.canvases["train"][number] = change(self.canvases["train"][number])

    def save(self, folder):
        folder.mkdir()
        for split, pages in self.pages.items():
            PackedSplit(np.stack(self.canvases[split]), tuple(pages)).save(folder, split)
        return folder


@pytest.fixture
def splits(printed_split):
    return Splits(printed_split)


def failing(folder, section):
    """Return the ids of the pages that fail each failed expectation."""
    frames, rules = {crop_checks.SUITE: crop_checks.build(folder, section)}, crop_checks.rules(section)
    checked = checked_expectations(rules, run_suites(frames, rules), frames)
    return {row.record.name: list(row.record.ids) for row in checked if not row.record.passed}


def shaded(canvas):
    return np.where(canvas == 255, 200, canvas).astype(np.uint8)


def without_second_line(canvas):
    return np.vstack([canvas[:34], np.full_like(canvas[34:], 255)])


FIRST, SECOND = (6, 4, 60, 22), (6, 36, 60, 22)  # boxes of a page's lines
# Each fault changes the page with its number. `{}` stands for the id of that page.
FAULTS = {
    "crops_differ": (lambda splits, n: splits.repaint(n, lambda _: splits.canvases["test"][0]), ["test0", "{}"]),
    "crop_ids_unique": (lambda splits, n: splits.relabel(n, id="train0"), ["train0", "train0"]),
    "crop_writer": (lambda splits, n: splits.relabel(n, writer=" "), ["{}"]),
    "crop_ink": (lambda splits, n: splits.repaint(n, lambda canvas: np.full_like(canvas, 255)), ["{}"]),
    "crop_paper": (lambda splits, n: splits.repaint(n, shaded), ["{}"]),
    "crop_scale": (lambda splits, n: splits.relabel(n, dpi=30.0), ["{}"]),
    "crop_boxes": (lambda splits, n: splits.relabel(n, boxes=(FIRST,)), ["{}"]),
    "crop_text": (lambda splits, n: splits.relabel(n, text="that is\n\u20ac"), ["{}"]),
    "crop_boxes_inside": (lambda splits, n: splits.relabel(n, boxes=(FIRST, (100, 36, 60, 22))), ["{}"]),
    "crop_lines_inked": (lambda splits, n: splits.repaint(n, without_second_line), ["{}"]),
    "crop_fits_box": (lambda splits, n: splits.relabel(n, text="that is\n" + "abcd" * 10), ["{}"]),
    "crop_lines_apart": (lambda splits, n: splits.relabel(n, boxes=(FIRST, (6, 12, 60, 22))), ["{}"]),
}


@pytest.fixture(scope="module")
def found(printed_split, small_crops, tmp_path_factory):
    """What fails in splits with every fault, each on a page of its own."""
    splits = Splits(printed_split)
    for number, (spoil, _) in enumerate(FAULTS.values(), 1):
        spoil(splits, number)
    return failing(splits.save(tmp_path_factory.mktemp("faulty") / "processed"), small_crops)


def test_pages_without_faults_pass(splits, small_crops, tmp_path):
    assert failing(splits.save(tmp_path / "processed"), small_crops) == {}


@pytest.mark.parametrize("expectation", FAULTS)
def test_a_fault_fails_its_expectation_alone(found, expectation):
    """Every page with a fault is named by one expectation only, because each expectation names exactly its own rows."""
    number = list(FAULTS).index(expectation) + 1
    assert found[expectation] == sorted(row.format(f"train{number}") for row in FAULTS[expectation][1])
    assert set(found) == set(FAULTS)


ALONE = [name for name in FAULTS if name not in ("crops_differ", "crop_ids_unique")]


@pytest.mark.parametrize("expectation", ALONE)
def test_a_page_is_checked_alone_by_the_same_rules(splits, small_crops, expectation):
    FAULTS[expectation][0](splits, 1)
    canvas, page = splits.canvases["train"][1], splits.pages["train"][1]
    (rule,) = [rule for rule in crop_checks.rules(small_crops) if rule.name == expectation]
    (fault,) = crop_checks.faults(canvas, page, small_crops)
    assert fault.startswith(rule.wrong)


def test_a_page_without_faults_has_none_alone(splits, small_crops):
    assert crop_fault(splits.canvases["train"][1], splits.pages["train"][1], (), small_crops) is None


def test_a_correction_may_show_a_page_of_the_training_split_again(splits, small_crops, tmp_path):
    splits.repaint(1, lambda _: splits.canvases["train"][0])
    splits.relabel(1, id="feedback-1", text=splits.pages["train"][0].text, boxes=splits.pages["train"][0].boxes)
    assert failing(splits.save(tmp_path / "processed"), small_crops) == {}


def test_crops_of_another_size_fail_alone(splits, small_crops, tmp_path):
    for split, canvases in splits.canvases.items():
        splits.canvases[split] = [np.pad(canvas, ((0, 16), (0, 0)), constant_values=255) for canvas in canvases]
    ids = sorted(page.id for pages in splits.pages.values() for page in pages)
    assert failing(splits.save(tmp_path / "processed"), small_crops) == {"crop_canvas": ids}


def test_a_fault_is_an_error_that_names_the_page_and_the_data_docs_show_it(splits, small_crops, tmp_path):
    splits.relabel(1, text="that is\n\u20ac")

    with pytest.raises(DataError, match="train1 \\(line 2 '\u20ac'\\)") as caught:
        check_crops(splits.save(tmp_path / "processed"), small_crops, tmp_path / "docs")

    assert str(tmp_path / "docs" / "index.html") in caught.value.fix
    index = (tmp_path / "docs" / "index.html").read_text(encoding="utf-8")
    assert "13 train, 1 validation, 1 test" in index
    assert '<img src="pictures/crops-train1.jpg"' in index


def test_the_data_docs_of_pages_without_faults_say_that_all_expectations_hold(splits, small_crops, tmp_path):
    check_crops(splits.save(tmp_path / "processed"), small_crops, tmp_path / "docs")

    index = (tmp_path / "docs" / "index.html").read_text(encoding="utf-8")
    assert f"All {len(crop_checks.rules(small_crops))} expectations hold" in index
