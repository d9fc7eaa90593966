"""Each fault of a packed line fails its own expectation, names the line, and fails no other expectation."""

from dataclasses import replace

import numpy as np
import pytest

from text_recognizer.core.errors import DataError
from text_recognizer.core.geometry import Box
from text_recognizer.corpora.packed_lines import PackedLine, line_writer
from text_recognizer.validation import check_crops, line_crop_checks
from text_recognizer.validation.suite_runner import checked_expectations, run_suites

COUNTS = {"train": 10, "validation": 1, "test": 1}


class Lines:
    """The pictures and labels of the lines of every split. They can be changed before they are saved."""

    def __init__(self) -> None:
        generator = np.random.default_rng(1)
        self.splits = {
            split: [make_line(f"{split}{number}", generator) for number in range(count)]
            for split, count in COUNTS.items()
        }

    def relabel(self, number, **values):
        picture, line = self.splits["train"][number]
        self.splits["train"][number] = picture, replace(line, **values)

    def repaint(self, number, change):
        picture, line = self.splits["train"][number]
        picture = change(picture)
        self.splits["train"][number] = picture, replace(line, size=(picture.shape[1], 32))

    def save(self, folder):
        folder.mkdir()
        for split, lines in self.splits.items():
            with line_writer(folder, split, 32) as add:
                for picture, line in lines:
                    add(picture, line)
        return folder


def make_line(form, generator):
    picture = np.where(generator.random((32, 200)) < 0.1, 0, 255).astype(np.uint8)
    return picture, PackedLine(f"{form}-00", form, "w1", "to be or not", Box(10, 10, 400, 60), (200, 32))


@pytest.fixture(scope="module")
def section(small_crops):
    return small_crops.model_copy(update={"line_height": 32})


def failing(folder, section):
    """Return the ids of the lines that fail each failed expectation, with no tolerance for a few lines."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(line_crop_checks, "MOSTLY", 1.0)
        frames, rules = {line_crop_checks.SUITE: line_crop_checks.build(folder)}, line_crop_checks.rules(section)
    checked = checked_expectations(rules, run_suites(frames, rules), frames)
    return {row.record.name: list(row.record.ids) for row in checked if not row.record.passed}


# Each fault changes the line with its number. `{}` stands for the id of that line.
FAULTS = {
    "one id on two lines": (lambda lines, n: lines.relabel(n, id="train0-00"), "line_crop_ids_unique",
                            ["train0-00", "train0-00"]),
    "one picture on two lines": (lambda lines, n: lines.repaint(n, lambda _: lines.splits["test"][0][0]),
                                 "line_crops_differ", ["test0-00", "{}"]),
    "no writer": (lambda lines, n: lines.relabel(n, writer=" "), "line_crop_writer", ["{}"]),
    "a character outside the charset": (lambda lines, n: lines.relabel(n, text="3 \u20ac"), "line_crop_text", ["{}"]),
    "no text": (lambda lines, n: lines.relabel(n, text=""), "line_crop_text", ["{}"]),
    "a text of two lines": (lambda lines, n: lines.relabel(n, text="two\nlines"), "line_crop_text", ["{}"]),
    "a blank line": (lambda lines, n: lines.repaint(n, lambda _: np.full((32, 200), 255, np.uint8)), "line_crop_ink",
                     ["{}"]),
    "grey paper": (lambda lines, n: lines.repaint(n, lambda picture: np.minimum(picture, 220)), "line_crop_paper",
                   ["{}"]),
    "too wide a line": (lambda lines, n: lines.repaint(n, lambda picture: np.tile(picture, 6)), "line_crop_width",
                        ["{}"]),
}  # fmt: skip


@pytest.fixture(scope="module")
def found(section, tmp_path_factory):
    """What fails in lines with every fault, each on a line of its own."""
    lines = Lines()
    for number, (spoil, _, _) in enumerate(FAULTS.values(), 1):
        spoil(lines, number)
    return failing(lines.save(tmp_path_factory.mktemp("faulty") / "processed"), section)


def test_lines_without_faults_pass(section, tmp_path):
    assert failing(Lines().save(tmp_path / "processed"), section) == {}


def test_each_fault_fails_its_expectation_alone(found):
    expected = {}
    for number, (_, expectation, rows) in enumerate(FAULTS.values(), 1):
        expected.setdefault(expectation, []).extend(row.format(f"train{number}-00") for row in rows)
    assert found == {expectation: sorted(rows) for expectation, rows in expected.items()}


def test_a_faulty_line_is_an_error_and_the_data_docs_show_it(section, printed_split, tmp_path):
    # Given pages without faults, and a line without text
    lines = Lines()
    lines.relabel(1, text="")
    folder = lines.save(tmp_path / "processed")
    for split, first in (("train", "to be"), ("validation", "a sea"), ("test", "so it")):
        printed = printed_split([(first, "goes")])
        page = replace(printed.pages[0], id=split, size=(128, 64), dpi=50.0)
        replace(printed, pages=(page,)).save(folder, split)

    with pytest.raises(DataError, match="train1-00"):
        check_crops(folder, section, tmp_path / "docs")

    assert (tmp_path / "docs/pictures/line_crops-train1-00.jpg").is_file()
